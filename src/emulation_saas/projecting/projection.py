"""What a projection is: a pure fold of the log into documents, and the questions that are asked of a document.

One module of the top-level `projections` holds one projection. It says which events it reads, which documents an event
belongs to, and how a document's state changes; everything else (live, rebuilt, as of a position) is made from that.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any, ClassVar, Final, Generic, TypeVar

import msgspec

from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.projecting.figures import Figures, reasons_of
from emulation_saas.projecting.views import WHOLE, View

State = TypeVar("State", bound=msgspec.Struct)

_encode: Final = msgspec.json.Encoder(decimal_format="string").encode


class Projection(ABC, Generic[State]):
    """One question asked of the log. Stateless: one instance serves every province, live and past.

    A state is a frozen struct without floats, sets or personal fields. Its decimals are those of the events, spelled as
    the log spells them; what is worked out from them is worked out when it is read. Where order carries meaning the
    state keeps it in tuples or in the order of its objects' keys, so its JSON is written in that order.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    """Another version is another document: raise it with every change of `evolve`, of the state's shape, or of what is
    read, be it one more shape of a type: the release before passes over what it does not know, and the documents of a
    version that both keep would lack it for ever (`tests/law/test_released_projections.py`)."""
    reads: ClassVar[tuple[type[Event], ...]]
    is_province_wide: ClassVar[bool] = False
    """Its one document, `WHOLE`, is selected by types alone; snapshots bound what reading its past costs."""

    def key(self, event: Any) -> str:  # noqa: ANN401 - one of `reads`, which the type system cannot say
        """Return the key of the document to which an event belongs; of several, see `keys_of`."""
        raise NotImplementedError  # pragma: no cover - a projection has this or `keys_of`

    def keys_of(self, recorded: AnyRecorded) -> Sequence[str]:
        """Return the keys of all documents to which a recorded event belongs; mostly one."""
        return (self.key(recorded.event),)

    @abstractmethod
    def tags_of(self, key: str) -> list[str]:
        """Return the tags that all events of a key bear; none where types alone select them."""

    @abstractmethod
    def initial(self) -> State:
        """Return the state before any event."""

    @abstractmethod
    def evolve(self, state: State, recorded: AnyRecorded) -> State:
        """Return the state after one more event. Pure; what raises here quarantines the document."""

    @abstractmethod
    def figures(self, state: State, on: date) -> Figures:
        """Return every figure of a document, by name: words and handles joined with `/`, as the docstring lists.

        Args:
            state: the document's.
            on: the calendar day that names, members and offices are asked for.
        """

    def reasons(self, state: State, figure: str, on: date) -> list[int]:
        """Return the positions on which a figure rests, in order; none for a figure that is not there."""
        return reasons_of(self.figures(state, on), figure)

    def contradiction(self, state: State, recorded: AnyRecorded) -> str | None:
        """Return what an event says that the state before it does not bear out; None where it agrees.

        Never so in a log that was decided by the rules; it shows what a counterfactual breaks.
        """
        del state, recorded
        return None

    @property
    @abstractmethod
    def views(self) -> Sequence[View[State]]:
        """Return what is answered from its documents."""

    @cached_property
    def read_types(self) -> frozenset[type[Event]]:
        """The events it reads, for a look-up."""
        return frozenset(self.reads)

    @cached_property
    def _decoder(self) -> "msgspec.json.Decoder[State]":
        return msgspec.json.Decoder(type(self.initial()))

    def encode(self, state: State) -> bytes:
        """Return a state's bytes: the same for the same events, always."""
        return _encode(state)

    def decode(self, document: bytes) -> State:
        """Return the state that these bytes spell."""
        return self._decoder.decode(document)


AnyProjection = Projection[Any]

__all__ = ["WHOLE", "AnyProjection", "Projection", "State"]
