"""Emulation blocs of Vietnamese provinces on one event-sourced, verifiable service.

The map, from the outside in; imports run one way, from the top of this list to its end::

    __main__     the command line
    wiring       the only module that knows every part
    (projections, the top-level package: one module per question asked of the log)
    provinces agencies blocs years scoring ratings ballots nominations pledges offices meetings access
                 the capabilities: events, use cases, routes; blind to each other but for events
    projecting   what a projection is: kept up live, rebuilt, read as of any position
    operating    lags, metrics, and whether what a worker does by itself moves
    http         who asks, in what form, and what goes back
    log          the province's log: canonical bytes, decisions in batches, one append, its readers
    postgres     the database: launcher, roles, migrations, transactions bound to one province
    kernel       the words every capability shares; no I/O
"""
