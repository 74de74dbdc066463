"""Reaching the server: one host, or several of which one takes writes at a time (`postgresql://a:5432,b:5432/…`).

After a fail-over another host is the primary. asyncpg goes on to the next host only where the one before it refuses: a
host that recovers, or is dead without a word, would keep every caller waiting. So each host is asked by itself, with a
deadline of its own, and first the one that served last.
"""

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from emulation_saas.kernel.cancelling import raise_if_cancelled

if TYPE_CHECKING:
    from asyncpg import Connection, Record

HOST_TIMEOUT_S: Final = 2.0
"""For one host to answer: four of them fit into what a caller waits for a connection."""
LOST_CLIENT: Final = {
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "5000",
}
"""The server lets go of a machine that is gone, and of the locks it held, within 5 s; by default it takes hours."""
LOST_SERVER: Final = (
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 2),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", 3),
    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", 5_000),
)
"""The other way round, as far as the system knows these options: else a statement waits for its own timeout."""


class ServerUnreachableError(OSError):
    """None of the hosts can be reached and takes writes; the message says why of each."""


class Route:
    """The way to the primary of one DSN."""

    def __init__(self, dsn: str, *, host_timeout_s: float = HOST_TIMEOUT_S) -> None:
        """Remember the hosts that it names, and how long each has to answer."""
        self._dsns = hosts_of(dsn)
        self._host_timeout_s = host_timeout_s

    async def connect(self, *_: object, **options: Any) -> "Connection[Record]":  # noqa: ANN401 - asyncpg's own
        """Return a connection to the host that takes writes. For the options see `asyncpg.connect`.

        Raises:
            asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError: the role may not log in.
            ServerUnreachableError: no host serves.
        """
        reasons: list[str] = []
        refused: Exception | None = None
        for dsn in list(self._dsns):
            self._dsns.remove(dsn)
            self._dsns.append(dsn)  # now already: whoever gives up waiting for it must not meet it first again
            try:
                async with asyncio.timeout(self._host_timeout_s):
                    connection: Connection[Record] = await asyncpg.connect(
                        dsn, target_session_attrs=SessionAttribute.primary, **options
                    )
            except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError) as error:
                refused = error
            except Exception as error:  # noqa: BLE001 - asyncpg raises outside its own classes when a server dies
                raise_if_cancelled()
                reasons.append(f"{_address(dsn)}: {str(error) or type(error).__name__}")
            else:
                self._dsns.remove(dsn)
                self._dsns.insert(0, dsn)
                _notice_loss(connection)
                return connection
        if refused is not None:
            raise refused
        raise ServerUnreachableError("no database takes writes: " + "; ".join(reasons))


def hosts_of(dsn: str) -> list[str]:
    """Return a DSN for each of the hosts that one names."""
    parts = urlsplit(dsn)
    credentials, at, addresses = parts.netloc.rpartition("@")
    if "," not in addresses:
        return [dsn]
    return [
        urlunsplit((parts.scheme, f"{credentials}{at}{address}", parts.path, parts.query, ""))
        for address in addresses.split(",")
    ]


def _notice_loss(connection: "Connection[Record]") -> None:
    """Have the system say when the server's machine is gone."""
    # asyncpg has no other way to reach the socket, and sets no such option itself.
    link: socket.socket = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # noqa: SLF001
    if link.family != socket.AF_UNIX:
        for level, name, value in LOST_SERVER:
            if hasattr(socket, name):
                link.setsockopt(level, getattr(socket, name), value)


def _address(dsn: str) -> str:
    """Return what of a DSN is no secret."""
    return urlsplit(dsn).netloc.rpartition("@")[2] or "the local socket"
