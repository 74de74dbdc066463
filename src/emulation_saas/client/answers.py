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

Token = str | Callable[[], Awaitable[str]]
"""A bearer token, or what gives one: it is asked before every request, so it may give a new one in time."""


class Later(Exception):  # noqa: N818 - no fault: something that passes, and never leaves this package
    """There is no answer now, and there may be one later."""

    def __init__(self, why: str, told_s: float | None = None) -> None:
        """Say why, and after how many seconds, if the service said so."""
        super().__init__(why)
        self.told_s = told_s


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""
    title: str = ""


class Asking:
    """Asks as one caller."""

    def __init__(self, http: httpx.AsyncClient, token: Token) -> None:
        """Take the connections, and the caller's token or what gives it."""
        self.http = http
        self._token = token
        self._is_refused = False

    @asynccontextmanager
    async def stream(
        self, url: str, query: Mapping[str, str], *, accept: str, silence_s: float, body: bytes | None = None
    ) -> AsyncGenerator[httpx.Response]:
        """Lend the answer to a question, or to a command where there is a body (JSON); its own body is unread.

        A longer silence than `silence_s` ends it.

        Raises:
            Later: there is none now, or it broke off.
            ClientError: there will be none.
        """
        token = self._token if isinstance(self._token, str) else await self._token()
        headers = {"authorization": f"Bearer {token}", "accept": accept}
        if body is not None:
            headers["content-type"] = "application/json"
        method = "GET" if body is None else "POST"
        sending = self.http.stream(method, url, params=query, headers=headers, content=body, timeout=silence_s)
        try:
            async with sending as answer:
                await _require(answer, accept)
                self._is_refused = False
                yield answer
        except UnauthorizedError as error:
            if self._is_refused or isinstance(self._token, str):
                raise
            self._is_refused = True  # another token may be accepted, once
            raise Later(str(error), told_s=0.0) from error
        except httpx.DecodingError as error:
            raise MalformedError(str(error)) from error
        except httpx.TransportError as error:
            raise Later(repr(error)) from error


async def _require(answer: httpx.Response, media_type: str) -> None:
    """Return if an answer is what was asked for."""
    if answer.status_code in _PASSING:
        raise Later(f"HTTP status {answer.status_code}", retry_after_s(answer.headers))
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
