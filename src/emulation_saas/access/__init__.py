"""Access: who a token's bearer is, and what that person may do. Both are facts of the province's own log.

    person   (unknown) --RegisterPerson--> registered
    role     (not held) --GrantRole--> held --RevokeRole--> (not held)

    token (issuer, subject) ──▶ person ──▶ roles ──▶ agencies represented ──▶ offices and blocs of those agencies
                                  └────────────── Directory.authority_of ──────────────┘

Invariants: a token's issuer and subject are bound to one person, a person id to one token; nobody holds a role without
being registered; a role has exactly the scope its kind demands (representative: an agency, secretary: a bloc, expert: a
bloc and a criterion, the others: none); a province never loses its last administrator. Administrators keep the
register; the first one is appointed by the operator who opens the province, and by nobody else. Offices are won
elsewhere (`offices`) and belong to agencies: they empower whoever represents the agency. Conflicts of interest are not
forbidden here; they are on record.

`authority` is the one fold that says what an actor may do at a head. The log and `http` get it from `wiring`.
"""
