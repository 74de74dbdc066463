"""Pledges: what the bloc promises for a year, and the signature of each member's named officer.

    (none) --DraftPledge--> drafted --DraftPledge--> drafted --SignPledge--> signed by some --SignPledge--> … by all

Invariants: the text may be replaced until somebody signs and never after that; only members of the bloc in that year
sign, each once, by one named officer. Who has not signed follows from the membership and is kept nowhere.
"""
