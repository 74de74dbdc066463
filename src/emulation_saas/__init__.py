"""Emulation blocs of Vietnamese provinces on one event-sourced, verifiable service.

The map, from the outside in; imports run one way, from the top of this list to its end::

    __main__     the command line
    demo         the main job, shown: one real bloc's year through the public API
    generating   made-up provinces of any size, through the use cases
    wiring       the only module that knows every part
    (projections, the top-level package: one module per question asked of the log)
    provinces agencies blocs years scoring ratings ballots nominations pledges offices meetings access
    disputes privacy
                 the capabilities: events, use cases, routes; blind to each other but for events
    projecting   what a projection is: kept up live, rebuilt, read as of any position, explained
    audit        the log as a transparency log: proofs, exports, dossiers, the offline verifier
    streams      the log for integrators: feed, consumers, bridges to brokers, the contract documents
    webhooks     the log posted to whoever asked for it
    operating    lags, metrics, whether a worker's loops run
    http         who asks, in what form, and what goes back
    log          the province's log: canonical bytes, decisions in batches, one append, its readers
    postgres     the database: launcher, roles, migrations, transactions bound to one province
    kernel       the words every capability shares; no I/O
    client       for integrators: stands alone
"""
