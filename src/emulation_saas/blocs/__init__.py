"""Blocs: groups of agencies that compete. A decision constitutes them; members come and go by day and legal basis.

    (unknown) --EstablishBloc--> established --AdmitMember, WithdrawMember--> established
    an agency in it: (outside) --AdmitMember--> member --WithdrawMember--> (outside)

Invariants: a handle is given once; nobody is a member before the bloc exists; one agency's memberships never overlap
and stand in the order of their days; one decision admits or withdraws once; the members of any day can be told for
ever. How many members there are is no rule. Administrators of the province keep the blocs.
"""
