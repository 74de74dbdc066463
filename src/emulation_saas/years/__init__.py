"""Years: a bloc's competition year, opened with the scheme and rules by which it is judged for ever.

    (unknown) --OpenYear--> open --LaunchYear--> open, launched --CloseYear--> closed
                              `------------------CloseYear-----------------------^

Invariants: scheme and rules are recorded once, where the year begins, and never replaced; in a scheme every parent
stands before its children and is worth exactly their sum; a year is launched at most once; it closes only when none of
its ballots is open, none of its disputes pending and no nomination rests for one that was upheld, and nothing of it
changes after that. Whoever runs the bloc's year opens, launches and closes it.
"""
