"""Copies of the whole database, kept elsewhere, and what is made of them when the machine is lost.

Design
------
::

    take    pg_basebackup, full or incremental ─▶ pg_verifybackup ─▶ named, then what is too old is removed    taking
    stream  pg_receivewal --synchronous: every commit, as it is made; through a slot, so that none is missed   streaming
    shelf   the directory: chains of backups, the streamed log, whose they are                                 shelf
    restore verify, combine, replay, new passwords: a new data directory, whole or not at all                  restoring

The tools are PostgreSQL's own, of the server's version (`tools`): of the wheel, or of a PostgreSQL here. They
log in as a role that can copy the server and connect to no database (`source`).

Rules that every change here must keep:

* Nothing counts as a backup before it was read again and found whole; nothing is restored before that either.
* A restore changes nothing that is there: neither the backups nor an old data directory.
* A backup holds the wrapped keys of personal data, never the master key; it goes after thirty days.
* What a restore lacks must be noticed: that is not done here, but by the witness (`audit.witness`).
"""
