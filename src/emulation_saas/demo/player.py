"""Plays a script through the public HTTP API. Every call has its own idempotency key, so it may be repeated."""

import json
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import httpx

from emulation_saas.demo.scene import Step

TIMEOUT_S: Final = 35.0
"""More than the service takes for any request."""
ATTEMPTS_MAX: Final = 8
PAUSE_S: Final = 0.5


class DemoRefusedError(Exception):
    """The service refused a call of the demo; the message says which and why."""


class Api:
    """The service's public API, as callers of the local issuer."""

    def __init__(self, base_url: str, issue: Callable[[str], str], *, between: Callable[[], None]) -> None:
        """Take where the service is and what gives tokens.

        Args:
            base_url: as in `http://127.0.0.1:8080`.
            issue: returns a token for a subject.
            between: called before every attempt; it keeps the service alive, and raises to end it all.
        """
        self._http = httpx.Client(base_url=f"{base_url}/v1", timeout=TIMEOUT_S, trust_env=False)
        self._issue = issue
        self._between = between
        self._tokens: dict[str, str] = {}

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def post(self, path: str, body: dict[str, Any], *, by: str, key: str) -> dict[str, Any]:
        """Make a command; return its answer.

        Raises:
            DemoRefusedError: it was refused, or not answered after several attempts.
        """
        return _document(self._asked("POST", path, by=by, json=body, headers={"idempotency-key": key}))

    def ask(self, path: str, body: dict[str, Any], *, by: str) -> dict[str, Any]:
        """Ask a question that takes a body and records nothing; return its answer.

        Raises:
            DemoRefusedError: as above.
        """
        return _document(self._asked("POST", path, by=by, json=body))

    def get(self, path: str, /, *, by: str, **query: str | int) -> dict[str, Any]:
        """Return a document.

        Raises:
            DemoRefusedError: as above.
        """
        return _document(self.get_bytes(path, by=by, **query))

    def get_bytes(self, path: str, /, *, by: str, **query: str | int) -> bytes:
        """Return an answer as it came.

        Raises:
            DemoRefusedError: as above.
        """
        return self._asked("GET", path, by=by, params=query)

    def _asked(self, method: str, path: str, *, by: str, **how: Any) -> bytes:  # noqa: ANN401 - httpx's own
        headers = {"authorization": f"Bearer {self._token(by)}", **how.pop("headers", {})}
        said = "no answer"
        for attempt in range(ATTEMPTS_MAX):
            self._between()
            if attempt:
                time.sleep(PAUSE_S)
            try:
                answer = self._http.request(method, path, headers=headers, **how)
            except httpx.TransportError as error:
                said = str(error) or type(error).__name__
                continue
            if answer.is_success:
                return answer.content
            said = answer.text
            if answer.status_code not in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}:
                break
        message = f"{method} {path} by {by}: {said}"
        raise DemoRefusedError(message)

    def _token(self, sub: str) -> str:
        if sub not in self._tokens:
            self._tokens[sub] = self._issue(sub)
        return self._tokens[sub]


def _document(answer: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(answer)
    return document


def play(steps: Iterable[Step], api: Api, *, province: str, progress: Callable[[Step], None]) -> int:
    """Make every call in order; return the position of the last event that came of it.

    Done again on the same data, nothing changes: each is answered as the first time.

    Raises:
        DemoRefusedError: a call was refused, as when the data is that of another version of the demo.
    """
    persons: dict[str, str] = {}
    positions: dict[str, int] = {}
    """By step, of its last event."""
    for step in steps:
        progress(step)
        body = dict(step.body)
        if step.person_of is not None:
            body["person"] = persons[step.person_of]
        if step.contests is not None:
            body["events"] = [positions[step.contests]]
        path = step.path if step.path == "/provinces" else f"/provinces/{province}{step.path}"
        try:
            answer = api.post(path, body, by=step.by, key=f"demo.{step.key}")
        except DemoRefusedError as error:
            message = (
                f"{error}\nif this directory holds what another version of the demo played, give another by --data"
            )
            raise DemoRefusedError(message) from error
        if step.path == "/persons":
            persons[step.body["sub"]] = answer["events"][0]["data"]["person"]
        positions[step.key] = int(answer["events"][-1]["id"])
    return max(positions.values())
