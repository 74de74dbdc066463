"""An event as it was received."""

from datetime import datetime
from typing import Any, Final

import msgspec

from emulation_saas.client.faults import MalformedError


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of one province."""

    position: int
    """Its place in the province's log: gapless, from 1. It and the source name the event for ever."""
    type: str
    """Name and version of its type, such as `scoring.score-appraised.v1`; `/schemas/{type}` describes it."""
    source: str
    """`urn:emulation:province:` and the id of the province."""
    subject: str | None
    """The path of what it is about; None for the province itself."""
    time: datetime
    """When it happened, as stated by who entered it."""
    recorded_at: datetime
    """When it was recorded."""
    actor: str
    """The opaque id of who did it, or `operator`."""
    causation: int | None
    """The position of the event that led to it, where one did."""
    data: dict[str, Any]
    """What happened. Decimals are strings; personal values are sealed: objects with `$enc`."""
    raw: bytes
    """The event byte for byte as it is stored: what its leaf hash, and so every proof, is of."""


class _Envelope(msgspec.Struct, frozen=True):
    """The CloudEvents attributes that are read."""

    id: str
    type: str
    source: str
    time: datetime
    recordedtime: datetime
    actor: str
    data: dict[str, Any]
    subject: str | None = None
    causationid: str | None = None


_decode: Final = msgspec.json.Decoder(_Envelope).decode


def read_event(raw: bytes) -> Event:
    """Return the event of its stored bytes.

    Raises:
        MalformedError: they are no event of ours.
    """
    try:
        envelope = _decode(raw)
        return Event(
            position=int(envelope.id),
            type=envelope.type,
            source=envelope.source,
            subject=envelope.subject,
            time=envelope.time,
            recorded_at=envelope.recordedtime,
            actor=envelope.actor,
            causation=None if envelope.causationid is None else int(envelope.causationid),
            data=envelope.data,
            raw=raw,
        )
    except ValueError as error:  # msgspec's own are ValueErrors, too
        raise MalformedError(f"no event: {error}") from error
