"""Provinces: the tenants. Identity is an opaque id behind a permanent handle; name, kind and code are dated data.

    (no log) --OpenProvince--> opened and named, with a first administrator --NameProvince--> opened, named anew

Invariants: a handle is opened once and never reused; opening, name and first administrator are one command, so no
province is ever without any of them; a name counts from a day after the name it replaces. Neither name nor code is a
key: seven of the provinces of July 2025 bear the name of one predecessor and the code of another.

Only a platform operator opens provinces, and may do nothing else in them. Administrators of the province name it.
"""
