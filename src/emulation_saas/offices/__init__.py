"""Offices: which agency heads a bloc in a year, and which is its deputy; elected by a ballot, or appointed.

    (vacant) --ElectOfficer, AppointOfficer--> held --ElectOfficer, AppointOfficer--> held by another

Invariants: an election rests on a counted ballot of that bloc, of the year served or the one before, which chose that
agency on the question named like the office; one ballot fills an office once, for one year; no agency holds both
offices of a year; a holder is a member of the bloc that year, or is one today; a closed year gets no other officers.
An office empowers the agency's representatives from the event on, on the days on which the agency is a member.
"""
