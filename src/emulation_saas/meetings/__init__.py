"""Meetings: a bloc's conference, entered from its minutes; one meeting may sum up one year and plan the next.

    (none) --HoldMeeting--> held

Invariants: a handle is given once and a meeting never changes; it serves at least one year, and no closed one; it was
held no later than today; agencies that attended as members were members in one of its years. The year it plans need not
be opened yet. Whoever runs one of its years enters it: the outgoing officers run the meeting that elects the next.
"""
