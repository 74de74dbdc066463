"""Agencies: the organisations that compete. Identity is the handle; names are dated, aliases are for reading papers.

    (unknown) --RegisterAgency--> registered --RenameAgency, AddAgencyAlias--> registered

Invariants: a handle is registered once and never reused; a rename takes effect on a day after the name it replaces;
the name of any day can be told for ever. Administrators of the province keep the register.
"""
