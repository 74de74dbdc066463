"""A server that says what a test tells it to: raw bytes, cut where a test wants them cut."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec

from emulation_saas.client import Consumer, Feed
from emulation_saas.client.answers import Token

STREAM: Final = "text/event-stream"
TOKEN: Final = "of-a-test"  # noqa: S105 - nobody's
BATCH: Final = "application/cloudevents-batch+json"


@dataclass
class Asked:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        """What was asked, each name once."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass
class Scripted:
    """Answers one request after another, each with the next of its answers; the last one again and again."""

    answers: Sequence[bytes]
    http: httpx.AsyncClient
    asked: list[Asked] = field(default_factory=list[Asked])
    waited: list[float] = field(default_factory=list[float])
    port: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close the connection."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            method, target, _ = head[0].split(" ")
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.asked.append(Asked(method, target, headers, body))
            writer.write(self.answers[min(len(self.asked), len(self.answers)) - 1])
            await writer.drain()
        finally:
            writer.close()

    async def sleep(self, pause_s: float) -> None:
        """Wait no time at all, and note how long it was to be."""
        self.waited.append(pause_s)
        await asyncio.sleep(0)

    def feed(
        self, *, token: Token = TOKEN, by: Literal["stream", "poll"] = "stream", patience_s: float = 600.0
    ) -> Feed:
        """Return a feed of this server."""
        url = f"http://127.0.0.1:{self.port}/"
        return Feed(url, "bac-song", token=token, by=by, patience_s=patience_s, http=self.http, sleep=self.sleep)

    def consumer(self) -> Consumer:
        """Return a consumer of this server."""
        url = f"http://127.0.0.1:{self.port}"
        return Consumer(url, "bac-song", "van-thu", token=TOKEN, http=self.http, sleep=self.sleep)


@asynccontextmanager
async def scripted(*answers: bytes) -> AsyncGenerator[Scripted]:
    """Run such a server."""
    async with httpx.AsyncClient(trust_env=False) as http:
        script = Scripted(answers, http)
        async with await asyncio.start_server(script.answer, "127.0.0.1", 0) as server:
            script.port = server.sockets[0].getsockname()[1]
            yield script


def event(position: int, *, of: str = "year.launched.v1") -> bytes:
    """Return an event's bytes, in an order of their own that no encoder would give."""
    return (
        f'{{"type":"{of}","data":{{"text":"Phát động","points":"18.5"}},"id":"{position}","actor":"p-daodaodao2",'
        '"recordedtime":"2024-01-30T02:00:05.123456Z","time":"2024-01-30T02:00:00Z","specversion":"1.0",'
        f'"subject":"blocs/b/years/2023","source":"urn:emulation:province:0","sequence":"{position:019d}"}}'
    ).encode()


def block(position: int) -> bytes:
    """Return an event as a stream sends it."""
    return b"id: %d\nevent: year.launched.v1\ndata: %b\n\n" % (position, event(position))


def stream(*blocks: bytes, lost: bool = False, headers: str = "Log-Head: 9\r\n") -> bytes:
    """Return a whole answer that is a stream; a lost one ends before the length that it promised."""
    body = b"".join(blocks)
    length = f"Content-Length: {len(body) + 5}\r\n" if lost else "Connection: close\r\n"
    return f"HTTP/1.1 200 OK\r\nContent-Type: {STREAM}; charset=utf-8\r\n{headers}{length}\r\n".encode() + body


def page(*positions: int, scanned_to: int, stands_at: int = 0) -> bytes:
    """Return a whole answer that is a page; of a consumer that stands somewhere."""
    body = b"[" + b", ".join(event(position) for position in positions) + b"]"
    return answer(
        200,
        body,
        f"Content-Type: {BATCH}\r\nLog-Head: 9\r\nLog-Scanned-To: {scanned_to}\r\nConsumer-Position: {stands_at}\r\n",
    )


def refusal(status: int, code: str = "", headers: str = "") -> bytes:
    """Return a refusal with a problem document."""
    problem = msgspec.json.encode({"code": code, "title": "Không được.", "status": status})
    return answer(status, problem, f"Content-Type: application/problem+json\r\n{headers}")


def answer(status: int, body: bytes, headers: str) -> bytes:
    """Return any whole answer."""
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
    return head.encode() + body
