"""Operating: how the service stands, for who runs it and for a province's own integrators.

::

    lags      head minus position, of one province, by one statement: documents, webhooks, bridges, consumers
      ├─ metrics   of all provinces, at GET /metrics, for operators
      └─ routes    of one province, at GET …/lag, for its people
    counting  what workers count while they serve, added up over all of them, in metrics too
    looking   once a second: who waits at this worker, and how it is
    loops     what a worker does besides answering; one that ended or does not move makes it un-ready

Rules that every change here must keep:

* A lag is asked of the database when somebody wants to know it, so every worker tells the same, and tells the truth.
* What only a worker knows it counts beside the others, and whoever is asked adds them up.
* Asking costs one connection, however many provinces there are: what watches the service must not slow it down.
* What one province suffers is told in its lag and takes nobody else out of service.
"""
