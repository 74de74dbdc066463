"""NATS JetStream as a broker: a stream a province, a subject a type, the stored bytes as structured CloudEvents.

A message is taken only behind the one it was sent behind (`Nats-Expected-Last-Sequence`, and `…-Msg-Id` where that one
is not acknowledged yet), so the stream has no order but the log's, no event twice, however late a copy arrives, and no
gap, whoever else writes into it: the server's window of duplicates is not relied on.
The client never reconnects by itself: what it sent before cannot be sent again behind our back, and each connection
begins with what the stream really holds. JetStream acknowledges before its disk does, so it may have lost some.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from ssl import create_default_context
from typing import TYPE_CHECKING, Any, Final

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error, NoServersError
from nats.js import JetStreamContext
from nats.js.api import Header, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from emulation_saas.log import Entry
from emulation_saas.streams.bridging import BrokerError, Last, OtherHistoryError
from emulation_saas.streams.nats_credentials import BadCredentialsError, read_credentials

if TYPE_CHECKING:
    from nats.aio.subscription import Subscription

DUPLICATES_S: Final = 120.0
"""How long a stream that we make remembers ids; for other publishers' sake and for consumers who look at it."""
CONNECT_TIMEOUT_S: Final = 5
ACKNOWLEDGED_WITHIN_S: Final = 10.0
CLOSED_WITHIN_S: Final = 1.0
PING_EVERY_S: Final = 5
"""A server that has vanished without a word is noticed after two of these."""
CONTENT_TYPE: Final = "application/cloudevents+json"


class Nats:
    """Connects to a NATS server, or a cluster of them, for one province at a time."""

    def __init__(
        self,
        servers: Sequence[str],
        *,
        prefix: str = "td",
        credentials: Path | None = None,
        ca: Path | None = None,
        duplicates_s: float = DUPLICATES_S,
    ) -> None:
        """Know where it is.

        Args:
            servers: URLs, nats:// or tls://; user and password may stand in them.
            prefix: of streams (`{prefix}-{province}`) and subjects (`{prefix}.{province}.{type}`).
            credentials: a NATS credentials file.
            ca: the certificates to trust, for TLS; None: those of the system.
            duplicates_s: how long a stream that is made here remembers ids.
        """
        self.name = "nats"
        self._servers = list(servers)
        self._prefix = prefix
        self._credentials = credentials
        self._ca = ca
        self._duplicates_s = duplicates_s

    @asynccontextmanager
    async def joined(self, handle: str) -> AsyncGenerator["Stream"]:
        """Connect to a province's stream; made if it is missing, else left as it is configured.

        Raises:
            BrokerError: the server cannot be reached, or refuses us.
            OtherHistoryError: the stream ends with what no bridge has sent.
        """
        options = self._security()
        connection, gone, faults = Client(), asyncio.Event(), list[Exception]()

        async def closed() -> None:
            gone.set()

        async def failed(error: Exception) -> None:
            faults[:] = [error]

        try:
            try:
                await connection.connect(
                    self._servers,
                    name=f"emulation-saas {handle}",
                    allow_reconnect=False,
                    connect_timeout=CONNECT_TIMEOUT_S,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    ping_interval=PING_EVERY_S,
                    closed_cb=closed,
                    error_cb=failed,
                    **options,
                )
                stream = Stream(connection, gone, f"{self._prefix}-{handle}", f"{self._prefix}.{handle}", handle)
                await stream.find(duplicates_s=self._duplicates_s)
            except (Error, OSError, TimeoutError) as error:
                reason = faults[0] if isinstance(error, NoServersError) and faults else error
                raise BrokerError(f"{type(reason).__name__}: {reason}") from error
            yield stream
        finally:
            with suppress(TimeoutError):  # it would wait for what a server that hangs will never read
                async with asyncio.timeout(CLOSED_WITHIN_S):
                    await connection.close()

    def _security(self) -> dict[str, Any]:
        """Return what the client needs to trust the server, and to be trusted. Read anew each time: both are renewed.

        Raises:
            BrokerError: one of the files does not hold what it should.
        """
        options: dict[str, Any] = {}
        try:
            if self._ca is not None:
                options["tls"] = create_default_context(cafile=self._ca)
            if self._credentials is not None:
                credentials = read_credentials(self._credentials)
                options |= {"user_jwt_cb": credentials.token, "signature_cb": credentials.signature}
        except (OSError, BadCredentialsError) as error:
            raise BrokerError(f"{type(error).__name__}: {error}") from error
        return options


class Stream:
    """What a NATS server holds of one province."""

    def __init__(self, connection: Client, gone: asyncio.Event, name: str, subject: str, handle: str) -> None:
        """Take the connection and what its stream, subjects and province are called."""
        self._connection: Any = connection  # its own annotations are half there
        self._jetstream: Any = JetStreamContext(connection)
        self._gone = gone
        self._name = name
        self._subject = subject
        self._handle = handle
        self._sequence = 0
        """Of the last message that the stream ever took."""
        self._inbox: str = connection.new_inbox()
        self._answers: Subscription
        """To what is sent, in its order. One lost answer, and all is begun again."""
        self.last: Last | None = None
        self.was_emptied = False

    async def find(self, *, duplicates_s: float) -> None:
        """Learn how the stream ends; make it if there is none.

        Raises:
            OtherHistoryError: its last message was sent by no bridge.
        """
        try:
            found = await self._jetstream.stream_info(self._name)
        except NotFoundError:
            found = await self._jetstream.add_stream(
                StreamConfig(
                    name=self._name,
                    subjects=[f"{self._subject}.>"],
                    retention=RetentionPolicy.LIMITS,
                    storage=StorageType.FILE,
                    duplicate_window=duplicates_s,
                )
            )
        self._answers = await self._connection.subscribe(self._inbox)
        self._sequence = found.state.last_seq
        self.was_emptied = found.state.messages == 0 and self._sequence > 0
        if found.state.messages:
            self.last = self._read(await self._jetstream.get_last_msg(self._name, f"{self._subject}.>"))

    async def extend(self, entries: Sequence[Entry]) -> None:
        """Send what follows the last event; return once all of it is acknowledged.

        Raises:
            BrokerError: some of it was not. What the stream has taken is found by joining it anew.
        """
        try:
            behind: dict[str, str] = {}
            for before, entry in enumerate(entries, start=self._sequence):
                message = f"{self._handle}:{entry.position}"
                headers = behind | {
                    Header.EXPECTED_STREAM: self._name,
                    Header.EXPECTED_LAST_SEQUENCE: str(before),
                    Header.MSG_ID: message,
                    "content-type": CONTENT_TYPE,
                }
                behind = {Header.EXPECTED_LAST_MSG_ID: message}
                subject = f"{self._subject}.{entry.type}"
                await self._connection.publish(subject, entry.body, reply=self._inbox, headers=headers)
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S):
                taken = [_sequence(await self._answers.next_msg(timeout=None)) for _ in entries]
        except (Error, OSError, TimeoutError) as error:
            raise BrokerError(f"{type(error).__name__}: {error}") from error
        if taken != [*range(self._sequence + 1, self._sequence + len(entries) + 1)]:
            raise BrokerError(f"the stream took them at {taken}, after {self._sequence}")
        self._sequence += len(entries)

    async def lost(self) -> None:
        """Wait until the connection is gone."""
        await self._gone.wait()

    def _read(self, message: Any) -> Last:  # noqa: ANN401 - a RawStreamMsg, as above
        headers: dict[str, str] = message.headers or {}
        handle, _, position = headers.get(Header.MSG_ID, "").rpartition(":")
        if handle != self._handle or not position.isdecimal():
            raise OtherHistoryError(f"the last message of {self._name} was sent by somebody else")
        return Last(int(position), message.data or b"")


class _Fault(msgspec.Struct, frozen=True):
    description: str = ""


class _Answer(msgspec.Struct, frozen=True):
    """What JetStream answers to a message: where the stream has it, or why it has not."""

    seq: int = 0
    error: _Fault | None = None


def _sequence(answer: Msg) -> int:
    """Return where the stream has a message.

    Raises:
        BrokerError: it was not taken.
    """
    if not answer.data:  # nobody listens to the subject: the stream is gone
        raise BrokerError("there is no such stream any more")
    said = msgspec.json.decode(answer.data, type=_Answer)
    if said.error is not None:
        raise BrokerError(said.error.description)
    return said.seq
