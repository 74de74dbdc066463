"""Privacy: what is personal can be erased from a log that never forgets, and who reads it is on record.

    person   known --ErasePerson--> erased          known: registered, or named on paper, so that there is a key
                     refused while on hold, or while a role is held
    hold     (none) --PlaceHold--> held --LiftHold--> (none)

An erasure is a fact first: `ErasePerson` records who asked, by which document, and the ids of the keys that end with
it. Then the keys are destroyed (`ProvinceLog.finish_erasures`), by the request itself or, where that was interrupted,
by `upkeep` within a minute. Bytes, proofs, roots and figures stay as they are; names are null from then on.

    answer shows an opened name, or an auditor asks ──▶ access_log (outside the tree) ──▶ answer
                                                             └─ day over ─▶ AccessLogDigested, in the tree

Invariants: no key is destroyed without its event; what is recorded of a person after an erasure has another key; no
answer that shows a name, and none to an auditor, leaves without its line in the access log; a finished day's digest is
recorded once.

Modules besides the usual ones: `access_log` (lines and their digest), `upkeep` (what is done by the service itself).
"""
