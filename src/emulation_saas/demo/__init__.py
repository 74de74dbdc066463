"""The main job, shown: one real bloc's year, played through the public HTTP API and read back from it.

::

    facts.json ──────────┐
    illustrations.json ──┴─▶ script: an ordered list of calls ─▶ player ─▶ HTTP ─▶ the service, as any caller meets it
                                                 telling ◀─ account ◀─┬─ library ◀─ HTTP ◀─ its documents
                                                                      └─ auditing ◀─ HTTP ◀─ its log, proofs, dossier

Rules that every change here must keep:

* What the article states lies in `facts.json`, and nothing else does. What it does not state lies in
  `illustrations.json` or is reckoned in `illustrations`; its texts are marked "(minh họa)" before they are sent, so the
  service itself holds and shows the mark, and its handles begin with `minh-hoa-`.
* Nothing is drawn by chance or read from the clock, and every call has its own idempotency key: played again on the
  same data, nothing changes.
* The account is read from the service's documents, never from the script: all as of the last event of the script, so
  that it stays the same whatever happens later. What the log proves is checked by the verifier before it is told.
"""
