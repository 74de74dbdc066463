"""Webhooks: events are posted to a receiver's URL (Standard Webhooks), signed, in whose sight an administrator says.

::

    pending ──handshake──▶ active ──asked, gone, failing, powerless──▶ paused ──┐
                             ▲  └──ordered, and out of tries──▶ stalled ────────┤     (any) ──▶ removed
                             └──────────────────── resumed ─────────────────────┘

What was decided stands in the log (`events`); how far sending has come is a cursor; what failed is a line of a ledger,
which knows positions and no bodies. There is no queue: a paused webhook keeps its cursor and loses nothing.

::

    dispatching   each process, each webhook: who holds the cursor sends
      └─ sender     rounds: what was decided, what is due again, what follows the cursor
           └─ courier   payload, signatures, one message, what came of it     payloads, signing, destinations

* At least once; in order, and none passed over, where the mode is `ordered`.
* No faster than `max_rate`, where the receiver wants that.
* Only over https, to addresses that were judged just before connecting; redirects are failures.
* Of types that are not public only who and where is sent (`dataref`): what is copied there could not be erased.
* Nothing that a receiver answers is shown to anybody but a status and a word.
"""
