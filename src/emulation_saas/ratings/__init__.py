"""Task-completion ratings: each member's own authority gives them, outside the bloc; here they are received.

    of one member     (unknown) --ReceiveRating-----------> known --ReceiveRating-----------> superseded by a newer one
    of the whole bloc (unknown) --ReceiveAggregateRating--> known --ReceiveAggregateRating--> superseded by a newer one

Both kinds stand side by side: often only numbers are known ("3 of 10 excellent"), and nobody is named for them.

Invariants: a rating is of a member of that year; an aggregate counts no more than the members, no more excellent than
good, and cannot be received where the ratings already known of single members make it impossible. A later rating of a
single member is not held against the aggregate: it is the better document, and the aggregate is what gets corrected.
"""
