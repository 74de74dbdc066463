"""Asking the service, and telling what passes by itself from what does not."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import httpx
import msgspec

from emulation_saas.client.faults import (
    ClientError,
    CursorBeyondHeadError,
    MalformedError,
    RefusedError,
    UnauthorizedError,
)
from emulation_saas.client.pauses import retry_after_s

PROBLEM_BYTES_MAX: Final = 65_536
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class Later(Exception):  # noqa: N818 - no fault: somebody to be asked again, which never leaves this package
    """The service asks to be asked again."""

    def __init__(self, status: int, told_s: float | None) -> None:
        """Take the status, and after how many seconds, if it said so."""
        super().__init__(f"HTTP status {status}")
        self.told_s = told_s


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""
    title: str = ""


class Asking:
    """Asks as one caller."""

    def __init__(self, http: httpx.AsyncClient, token: str | Callable[[], Awaitable[str]]) -> None:
        """Take the connections and the caller's token, or what gives it."""
        self.http = http
        self._token = token

    @property
    def has_more_tokens(self) -> bool:
        """Whether another token can be had when one is not accepted."""
        return not isinstance(self._token, str)

    @asynccontextmanager
    async def stream(
        self, url: str, query: Mapping[str, str], *, accept: str, silence_s: float
    ) -> AsyncGenerator[httpx.Response]:
        """Lend the answer to a question, its body unread; a longer silence ends it."""
        token = self._token if isinstance(self._token, str) else await self._token()
        headers = {"authorization": f"Bearer {token}", "accept": accept}
        async with self.http.stream("GET", url, params=query, headers=headers, timeout=silence_s) as answer:
            yield answer


async def require_answer(answer: httpx.Response, media_type: str) -> None:
    """Return if an answer is what was asked for.

    Raises:
        Later: it may be, later.
        ClientError: it would not be.
    """
    if answer.status_code in _PASSING:
        raise Later(answer.status_code, retry_after_s(answer.headers))
    if answer.status_code != HTTPStatus.OK:
        raise await _refusal(answer)
    given = answer.headers.get("content-type", "").partition(";")[0].strip()
    if given != media_type:
        raise MalformedError(f"asked for {media_type}, got {given or 'nothing'}")


async def _refusal(answer: httpx.Response) -> ClientError:
    text = b""
    async for piece in answer.aiter_bytes():
        text += piece
        if len(text) > PROBLEM_BYTES_MAX:
            return RefusedError(answer.status_code, "", "")
    try:
        problem = msgspec.json.decode(text, type=_Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        problem = _Problem()
    kind = RefusedError
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        kind = UnauthorizedError
    elif problem.code == "cursor-beyond-head":
        kind = CursorBeyondHeadError
    return kind(answer.status_code, problem.code, problem.title)
