"""From the vote to the Council: the bloc acclaims its leading unit and nominates members for awards.

    (none) --AcclaimLeader--> acclaimed --AcclaimLeader--> acclaimed, by another method or for another reason

                                      +--YieldNomination----> yielded
    (none) --MakeNomination--> made --+
                               ^  |   +--ForwardNomination--> forwarded
             ResumeNomination  |  | SuspendNomination
                               |  v
                             suspended

Invariants: the leading unit is a fact of its own, not the top score; where a frozen ranking has another unit on top, it
says why. No more units are acclaimed than the year's rules allow. What rests on a ballot rests on one of that year that
was counted and chose the agency. A nomination's handle is never reused. Until it is yielded it holds its place: an
agency is nominated once for an award, and for one of the two flags. While a nomination is suspended nothing happens to
it but that it is resumed; the vote is not repeated. One that rests for a pending dispute is not resumed by hand.
"""
