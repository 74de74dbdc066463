"""Scores of a bloc's year: a member claims points with evidence, others appraise with reasons, a ranking is kept.

    one criterion of one member

        not scored --SubmitSelfScore--> claimed --AppraiseScore--> appraised --AppraiseScore--> appraised
             |                             ^  |                        ^      (same stage or a higher one)
             |                             +--+ another sheet          |
             +-------------------------AppraiseScore-------------------+

    the ranking

        (none) --FreezeRanking--> version 1 --FreezeRanking, AppraiseScore--> version n + 1

Invariants: not scored is not zero, and a member without any score has no rank. Only leaves of the year's scheme are
scored, within 0 and their maximum. An appraisal says why and counts instead of the claim, lower or higher; a later one
supersedes it unless it comes from a lower stage (bloc < expert < council). Nobody appraises an agency that he
represents. A sheet counts as a whole, and none is taken from the deadline on or once a ranking is frozen. After that
every appraisal brings the next version of the ranking with it, so the newest version is never older than the scores.
Equal points share a rank. `ranking` holds the arithmetic, for decisions and for reading alike.
"""
