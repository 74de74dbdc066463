"""The province's log: one row orders everything, decisions are made on the newest head, and an append is one statement.

Design
------
A *head* row per province holds the position, the time of the last append, and the frontier and root of the Merkle tree.
An append moves that row and inserts its events in one transaction, so positions are gapless, 1-based and in commit
order; a rollback gives them back; ``events <= p`` is a snapshot for ever.

::

    execute(use case, by)                                                   province_log
      └─ facts: folded views, kept by process, found by tag                 known, facts
      └─ queue ─▶ batch: decide in order on the newest head                 committer, batch
                   └─ bytes: canonical CloudEvents, personal fields sealed  codec, sealing, keyring, frontier
                   └─ append_v1(expected head, …)  one round trip, one fsync
                        moved? ─▶ publish: views, head, answers; wake readers   waking
                        not?   ─▶ read the tail, lock the head, decide again

The tree as of any size, for roots and proofs, is computed from tiles that are kept beside the log: `tree`.

Rules that every change here must keep:

* The overlay of a batch in flight becomes the truth only when the append is known to be committed; on anything else it
  is dropped, the head is read again, and the callers are told that the outcome is unknown.
* A rejection or an empty decision is answered only after the head was seen unmoved, and after its idempotency key was
  looked up: the retry of a success is that success.
* Whoever needs both takes a connection first and the lock of deciding second. Before both comes the lock of those who
  ask for the directory only: callers without number share one connection.
* A view is kept for who may have it: what only refused commands asked for is let go, and so is what names the erased.
* An event's bytes are made once, in ``codec``, and nobody encodes them again.
* Who watches (`course`) is told afterwards and has no say; a log that is full (`room`) refuses beginnings only.
* This package knows no capability. The fold of authority is handed in by ``wiring``.
"""

from emulation_saas.log.accepted import Accepted
from emulation_saas.log.codec import Codec
from emulation_saas.log.faults import LogGapError, OutcomeUnknownError
from emulation_saas.log.master_key import MasterKey, MasterKeyError
from emulation_saas.log.powers import AuthorityFold, Directory
from emulation_saas.log.province_log import ProvinceLog
from emulation_saas.log.province_logs import ProvinceLogs
from emulation_saas.log.reading import Entry, Head
from emulation_saas.log.registry import Registry

__all__ = [
    "Accepted",
    "AuthorityFold",
    "Codec",
    "Directory",
    "Entry",
    "Head",
    "LogGapError",
    "MasterKey",
    "MasterKeyError",
    "OutcomeUnknownError",
    "ProvinceLog",
    "ProvinceLogs",
    "Registry",
]
