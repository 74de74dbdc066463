"""The log as a transparency log: signed checkpoints, tiles, proofs, receipts, exports, in C2SP's formats.

Design
------
::

    log.tree ──▶ tiles, inclusion and consistency proofs          routes, proofs
       │
    log.head ──▶ signing: from the last signed head on, hash every stored event again; is that the root to be signed?
       │            yes ─▶ signed note, kept where the service's own role cannot reach   notes, signing
       │            no  ─▶ `log-forked`, until an operator acts
       └──────▶ receipts (tlog-proof), exports (tar)               receipts, exports

Rules that every change here must keep:

* A checkpoint is signed after the commit, never inside a transaction that could still roll back.
* The same size gets the same bytes, whoever signs it and when: what stands in a note follows from the log alone.
* Nothing hidden from a reader reaches him: of an event that he may not see he gets the leaf hash, which is salted.
"""
