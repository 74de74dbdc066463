"""Disputes (kiến nghị): a member contests a score, a rating, a vote, a nomination or a membership.

                              AddEvidence, AnswerDispute
                                        +--+
                                        |  v          +--UpholdDispute----> upheld ····> corrections that name it
    (none) --FileDispute--> pending (filed, answered) +--RefuseDispute----> refused
                                                      +--WithdrawDispute--> withdrawn

    a nomination, where the year's rules let disputes suspend it

    made --FileDispute--> suspended --RefuseDispute, WithdrawDispute (of the last that holds it)--> made
                              `------UpholdDispute--> suspended, until it is resumed by hand

Invariants: a dispute names events of its bloc's year (of its bloc, where it is about a membership), of the kinds that
it can be about, which the filer may see (`grounds`); it names them with whom they are of, and never changes them. Its
day of answer is recorded with it, from the rules of the year. Nobody decides it who, or whose agency, filed it or is
disputed; whoever decides says why. What is decided or withdrawn takes nothing more. While one is pending the year does
not close, and a nomination that it holds is neither resumed nor forwarded. What an upheld dispute demands is done by
ordinary commands that name it; their events say so (`causationid`), so a correction is found by its ruling.
"""
