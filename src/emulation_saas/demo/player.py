"""Plays a script through the public HTTP API. Every call has its own idempotency key, so it may be repeated."""

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
        return self._asked("POST", path, by=by, json=body, headers={"idempotency-key": key})

    def get(self, path: str, *, by: str, **query: str | int) -> dict[str, Any]:
        """Return a document.

        Raises:
            DemoRefusedError: as above.
        """
        return self._asked("GET", path, by=by, params=query)

    def _asked(self, method: str, path: str, *, by: str, **how: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's own
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
                told: dict[str, Any] = answer.json()
                return told
            said = answer.text
            if answer.status_code not in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}:
                break
        message = f"{method} {path} by {by}: {said}"
        raise DemoRefusedError(message)

    def _token(self, sub: str) -> str:
        if sub not in self._tokens:
            self._tokens[sub] = self._issue(sub)
        return self._tokens[sub]


def play(steps: Iterable[Step], api: Api, *, province: str, progress: Callable[[Step], None]) -> None:
    """Make every call in order. Done again on the same data, nothing changes: each is answered as the first time.

    Raises:
        DemoRefusedError: a call was refused, as when the data holds another province of that handle.
    """
    persons: dict[str, str] = {}
    for step in steps:
        progress(step)
        body = step.body if step.person_of is None else {**step.body, "person": persons[step.person_of]}
        path = step.path if step.path == "/provinces" else f"/provinces/{province}{step.path}"
        answer = api.post(path, body, by=step.by, key=f"demo.{step.key}")
        if step.path == "/persons":
            persons[step.body["sub"]] = answer["events"][0]["data"]["person"]
