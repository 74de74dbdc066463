"""Ballots: members decide by vote, here by roll call or in a room on paper, by rules that the ballot itself states.

    mode `open`:     (unknown) --OpenBallot--> open --CastVote*--> open --CloseBallot--> closed and counted
    all other modes: (unknown) --OpenBallot--> open --RecordPaperCount--> closed and counted

Invariants: a ballot's rules, questions and roll never change once it is open; who is on the roll has one vote, and the
last one given in time counts; from `closes_at` on it is too late, whatever time a paper bears; before it, a roll call
is closed only when everybody has voted; the count of a roll call follows from its votes, one from paper adds up; what
was chosen follows from the count and the rule by whole numbers alone (`counting`). Ties stay named as tied: a further
vote, the scores or a draw settles them outside the ballot. The bloc's officers, its secretary and administrators open,
close and count; only who represents a member votes for it.
"""
