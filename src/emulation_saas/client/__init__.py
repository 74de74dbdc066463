"""A client for integrators: follows a province's log, checks what it is given, verifies webhooks.

Design
------
It imports nothing of the service, so it says what the interface is and not what the service means; it needs `httpx`,
`msgspec` and, for webhooks, `cryptography`.

::

    feed            who reads keeps the position                                     Feed
    consumer        the service keeps it                                             Consumer
      └─ following  asks, takes up again where it was, waits before it asks again     pauses
           ├─ answers  tells what passes by itself from what does not; asks for new tokens
           ├─ blocks   bytes of a stream ─▶ blocks, by the HTML standard
           └─ track    positions: none missing, none twice, none out of order
    received        an event, and its bytes as they came                             Event
    signatures      whether a delivery is the service's                              verify_webhook

Whoever follows keeps one number: the position of the last event that was dealt with. Delivery is at least once, so keep
it in the transaction of what the event led to, or take an event twice after a crash.

::

    async with Feed("https://thidua.example.vn", "bac-song", token=token) as feed:
        async for event in feed.events(after=position):
            ...
"""

from emulation_saas.client.consumer import Consumer
from emulation_saas.client.faults import (
    ClientError,
    CursorBeyondHeadError,
    LogGapError,
    MalformedError,
    MissingPositionError,
    MovedError,
    RefusedError,
    RepeatedPositionError,
    SignatureError,
    UnauthorizedError,
    UnreachableError,
)
from emulation_saas.client.feed import Feed
from emulation_saas.client.received import Event
from emulation_saas.client.signatures import verify_webhook

__all__ = [
    "ClientError",
    "Consumer",
    "CursorBeyondHeadError",
    "Event",
    "Feed",
    "LogGapError",
    "MalformedError",
    "MissingPositionError",
    "MovedError",
    "RefusedError",
    "RepeatedPositionError",
    "SignatureError",
    "UnauthorizedError",
    "UnreachableError",
    "verify_webhook",
]
