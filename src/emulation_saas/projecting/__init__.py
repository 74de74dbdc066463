"""What a projection is: a pure fold of the log into documents. Kept up live, rebuilt, read as of any position.

Design
------
The log is the only record. A *projection* (top-level `projections`, one module each) folds events into *documents*,
each under a key; a document is its state in JSON with the position of the last event that changed it. From `evolve`
alone come

::

    live      runner    tail ─▶ batch ─▶ fold ─▶ documents + checkpoint, one transaction
    rebuilt   rebuild   whole log ─▶ fold in memory ─▶ swapped in, one transaction
    as of p   reading   events ≤ p that the key's tags select ─▶ fold ─▶ answered, never stored
    why       figures  every figure of a state: its value, its rule, the events and figures it rests on

and must be the same: live == rebuilt == folded by hand == as of now; snapshot at p + what came after p == now.

Questions about answers are asked by the path of a GET (`paths` finds the view), so a new projection has them at once::

    explain   explaining   a figure, its inputs, down to the events and where their proofs are
    effects   effects      the other way: which figures an event touched, folded just before it and at it
    diff      comparing    the patch between two positions (`patches`), folded event by event for the causes
    what-if   supposing    the fold of a history with events missing, added or changed; kept nowhere
    digest    digesting    one hash of all documents, the same offline

Rules that every change here must keep:

* `folding.fold` is the only caller of `evolve`. An event that cannot be folded quarantines its document: it keeps its
  last good state, shows where and why it stopped, takes nothing from that position on, and stops nothing else. A
  rebuild lifts it.
* A checkpoint moves in the transaction of the documents it speaks for, to a position that was folded, never backward.
* A state holds nothing personal. Names of officials are opened from the log when they are shown, so no clear copy of
  them lies anywhere, and destroying a key is enough. `redacting` finds them in the answer: what is shown is on record
  before it leaves (`http.reads`), what is gone is named in `redacted`.
* Whatever is asked about a document, today's right to read it comes first; an event that the caller may not see is its
  position and nothing more.
* Reading never depends on the runner being right: a version that is not built yet is folded from the log.
* This package knows no projection and no capability. `wiring` hands the projections in.
"""

from emulation_saas.projecting.projection import AnyProjection, Projection
from emulation_saas.projecting.reading import Reader
from emulation_saas.projecting.routes import document_routes
from emulation_saas.projecting.runner import Runner

__all__ = ["AnyProjection", "Projection", "Reader", "Runner", "document_routes"]
