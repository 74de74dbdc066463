"""Two provinces of equal shape and unlike texts: nothing of the one can be had, changed or even noticed by the other.

Method. The OpenAPI document is walked: for every operation and every place of an id (path, query, header, body), the
id of province B is put in its place, with the token of A's administrator. Each request is made twice, with B's id and
with an id that nobody ever had: apart from that id, both must be answered alike. No answer may hold B's canary, and B's
log must not have moved. An operation, a parameter or a body field without an entry here fails the test.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from emulation_saas.kernel.ids import HANDLE_PATTERN, PERSON_PATTERN
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import drop_database, fresh_database, superuser
from tests.questions import questions
from tests.serving import OPERATOR, Served, served
from tests.year import Marked

IN_PROVINCE: Final = "/v1/provinces/{province}"
ELSEWHERE: Final = {"POST /v1/provinces", "GET /health/live", "GET /health/ready", "GET /metrics"}
"""What is no province's. Opening provinces is refused to everybody but operators."""
KNOWN_PARAMETERS: Final = {
    "path": {
        *("province", "bloc", "agency", "ballot", "nomination", "dispute", "year", "person", "webhook"),
        *("event", "size", "level", "place", "consumer"),
    },
    "query": {
        *("as_of", "min_position", "valid_on", "limit", "cursor"),
        *("position", "size", "first", "second", "from", "to", "day", "path", "figure", "status"),
        *("after", "lastEventId", "through", "wait", "timeout", "types", "tags"),
    },
    "header": {"Idempotency-Key", "If-None-Match", "Last-Event-ID", "Prefer"},
}
NUMBERS: Final = {"year", "event", "size", "level", "place"}
"""Path parameters that are no ids: another province has the same ones."""
ABOUT: Final = "/blocs/{bloc}/years/{year}/standings"
"""The document that questions about documents are asked of."""
SAYS_NO_ID: Final = {"/digest"}
"""Answers in which no id stands."""
ANOTHER_PERSON: Final = "p-zzzzzzzzzz"
REFUSED: Final = {403, 404, 409, 422}
_NEWLY_NAMED: Final = {
    ("/agencies", "agency"),
    ("/blocs", "bloc"),
    ("/blocs/{bloc}/years/{year}/ballots", "ballot"),
    ("/blocs/{bloc}/years/{year}/nominations", "nomination"),
    ("/blocs/{bloc}/years/{year}/disputes", "dispute"),
    ("/blocs/{bloc}/meetings", "meeting"),
    ("/consumers", "consumer"),
    ("/webhooks", "webhook"),
    ("/roles", "criterion"),
    ("/roles/revoke", "criterion"),
}
"""Where a body names something new: handles are unique in a province only, so another's handle is free here."""
_REQUEST_ID: Final = re.compile(rb"urn:uuid:[0-9a-f-]{36}")
_OWN: Final = {"x-request-id", "date", "etag"}
"""Headers of this answer alone; the tag is a digest of what is compared anyhow."""
FORWARDED: Final = {
    "x-forwarded-host": "tinh-b.example",
    "x-forwarded-for": "10.0.0.1",
    "x-forwarded-proto": "gopher",
    "x-forwarded-prefix": "/v1/provinces/tinh-b",
    "x-original-url": "/v1/provinces/tinh-b",
    "x-rewrite-url": "/v1/provinces/tinh-b",
    "x-http-method-override": "DELETE",
    "forwarded": "for=10.0.0.1;host=tinh-b.example;proto=gopher",
}


@dataclass(frozen=True)
class Operation:
    """One operation of the description: its path within a province, its parameters, the schema of its body."""

    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    id_fields: frozenset[str]
    records: bool
    """Whether it is a command; a question may need a body, too."""

    @property
    def name(self) -> str:
        """How it is called here."""
        return f"{self.method} {IN_PROVINCE}{self.path}"


@dataclass(frozen=True)
class Apart:
    """Two provinces played on one service; who asks is A's administrator."""

    service: Served
    description: dict[str, Any]
    ours: Marked
    theirs: Marked

    def client(self) -> httpx.Client:
        """Return a client that calls as A's administrator."""
        headers = {**self.service.token(f"admin@{self.ours.province}"), "accept-language": "vi"}
        return httpx.Client(base_url=self.service.url, headers=headers, timeout=15, trust_env=False)

    def operations(self) -> Iterator[Operation]:
        """Yield what the description tells of a province's operations."""
        for path, methods in self.description["paths"].items():
            for method, told in methods.items():
                if f"{method.upper()} {path}" in ELSEWHERE:
                    continue
                assert path.startswith(IN_PROVINCE), f"{path}: say here whose it is"
                body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
                yield Operation(
                    method.upper(),
                    path.removeprefix(IN_PROVINCE),
                    tuple((each["in"], each["name"]) for each in told.get("parameters", [])),
                    frozenset(self._id_fields(body)),
                    "201" in told["responses"],
                )

    def _id_fields(self, schema: Any, name: str = "") -> Iterator[str]:  # noqa: ANN401 - any JSON
        """Yield the names of the fields that hold ids."""
        if "$ref" in schema:
            schema = self.description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        if schema.get("pattern") in {HANDLE_PATTERN, PERSON_PATTERN}:
            yield name
        for field, of_field in schema.get("properties", {}).items():
            yield from self._id_fields(of_field, field)
        for part in [*schema.get("anyOf", []), *([schema["items"]] if "items" in schema else [])]:
            yield from self._id_fields(part, name)

    def bodies_of(self, operation: Operation, marked: Marked) -> list[Any]:
        """Return a body of each shape that the operation was played with; one None for a GET."""
        if operation.method == "GET":
            return [None]
        shape = re.compile(re.sub(r"\{\w+\}", "[^/]+", operation.path))
        steps = [*marked.steps(), *questions(marked)]
        played = {frozenset(step.body): step.body for step in steps if shape.fullmatch(step.path)}
        assert played, f"{operation.name}: no step of tests/year.py plays it"
        return list(played.values())

    def url(self, operation: Operation, **instead: str) -> str:
        """Return A's URL of the operation, with other parameters in place of some."""
        return url_of(operation, {**self.ours.path_parameters, **instead})

    def places(self, operation: Operation, body: Any) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401 - any JSON
        """Yield each place of an id in a request, with A's id there and B's: a path parameter's name, or `body`."""
        for place, name in operation.parameters:
            if place == "path" and name not in {"province", *NUMBERS}:
                yield name, self.ours.path_parameters[name], self.theirs.path_parameters[name]
            if (place, name) == ("query", "path"):
                yield "bloc", self.ours.path_parameters["bloc"], self.theirs.path_parameters["bloc"]
        for ours, theirs in self.ids().items():
            if with_other(body, ours, theirs) != body:
                yield "body", ours, theirs

    def names_something_new(self, operation: Operation, body: Any, place: tuple[str, str, str]) -> bool:  # noqa: ANN401 - any JSON
        """Tell whether the id at a place is the name of what the operation makes."""
        where, ours, _ = place
        named = {field for path, field in _NEWLY_NAMED if path == operation.path}
        return where == "body" and any(body.get(field) == ours for field in named)

    def ids(self) -> dict[str, str]:
        """Return B's id for each id of A."""
        own = ("person", "on_paper", "referee", "erased")
        ids = {getattr(self.ours, who): getattr(self.theirs, who) for who in own}
        text = str(self.ours.steps()) + str(self.ours.path_parameters)
        for handle in re.findall(rf"'([a-z-]+-{self.ours.mark})'", text):
            ids[handle] = handle.removesuffix(self.ours.mark) + self.theirs.mark
        return ids


@pytest.fixture(scope="module")
def apart(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """Two provinces, played with the same idempotency keys, on a database of their own."""
    url = asyncio.run(fresh_database(server))
    with served(tmp_path_factory.mktemp("apart"), workers=1, database_url=url) as service:
        with httpx.Client(base_url=service.url, timeout=15, trust_env=False) as client:
            ours, theirs = [
                _played(client, service, mark, canary) for mark, canary in (("a", "CHIMA"), ("b", "YENPHUNG"))
            ]
            described = client.get("/schema/openapi.json").json()
        yield Apart(service, described, ours, theirs)
    asyncio.run(drop_database(server, url))


@pytest.fixture(autouse=True)
def unmoved(server: EmbeddedPostgres, apart: Apart) -> Iterator[None]:
    """Demand of every test that B's log does not move."""

    async def head() -> int:
        async with superuser(server, urlsplit(apart.service.database_url or "").path.removeprefix("/")) as connection:
            position: int = await connection.fetchval(
                "SELECT position FROM log_head JOIN provinces USING (province_id) WHERE handle = $1",
                apart.theirs.province,
            )
            return position

    before = asyncio.run(head())
    yield
    assert asyncio.run(head()) == before


def _played(client: httpx.Client, service: Served, mark: str, canary: str) -> Marked:
    blank = Marked(mark, canary, "")
    sub = f"admin@{blank.province}"
    opened = client.post("/v1/provinces", json=blank.opening(sub), headers=service.token(OPERATOR))
    assert opened.status_code == 201, opened.text
    marked = Marked(mark, canary, opened.json()["events"][2]["data"]["person"])
    for number, step in enumerate(marked.steps()):
        path = (IN_PROVINCE + step.path).format(**marked.path_parameters)
        headers = {**service.token(marked.sub(step.by)), "idempotency-key": f"step-{number}"}
        answer = client.post(path, json=step.body, headers=headers)
        assert answer.status_code == step.status, (step.path, answer.text)
    for step in questions(marked):
        path = (IN_PROVINCE + step.path).format(**marked.path_parameters)
        answer = client.post(path, json=step.body, headers=service.token(marked.sub(step.by)))
        assert answer.status_code == step.status, (step.path, answer.text)
    return marked


def url_of(operation: Operation, parameters: dict[str, Any], **query: str) -> str:
    """Return an operation's URL; of a question about a document, with that document."""
    names = {name for place, name in operation.parameters if place == "query"}
    if "path" in names:
        query["path"] = ABOUT.format(**parameters)
        query |= {"from": "1", "to": "20"} if "from" in names else {}
    url = (IN_PROVINCE + operation.path).format(**parameters)
    return f"{url}?{urlencode(query)}" if query else url


def told(answer: httpx.Response, *, but: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return everything an answer tells, but the request's id and one id that the request named."""
    headers = [(name, value) for name, value in answer.headers.items() if name not in _OWN]
    body = _REQUEST_ID.sub(b"\xe2\x80\xa6", answer.content).replace(but.encode(), b"\xe2\x80\xa6")
    return answer.status_code, headers, body


def ask(
    client: httpx.Client,
    apart: Apart,
    operation: Operation,
    url: str,
    body: Any,  # noqa: ANN401 - any JSON
    **headers: str,
) -> httpx.Response:
    """Ask, and demand that nothing of B is in the answer."""
    answer = client.request(operation.method, url, json=body, headers=headers)
    heard = answer.content + str(answer.headers.raw).encode()
    assert apart.theirs.canary.encode() not in heard, (operation.name, url)
    assert answer.status_code < 500, (operation.name, url, answer.text)
    return answer


def with_other(value: Any, ours: str, other: str) -> Any:  # noqa: ANN401 - any JSON
    """Return a body with another id wherever one of ours stands."""
    if isinstance(value, dict):
        return {name: with_other(each, ours, other) for name, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [with_other(each, ours, other) for each in cast("list[Any]", value)]  # type: ignore[redundant-cast] # for the other checker
    return other if value == ours else value


def test_every_operation_parameter_and_id_field_has_its_entry(apart: Apart) -> None:
    for operation in apart.operations():
        for place, name in operation.parameters:
            assert name in KNOWN_PARAMETERS[place], f"{operation.name}: say here what to put for {name} in the {place}"
        if operation.method == "POST":
            shape = re.compile(re.sub(r"\{\w+\}", "[^/]+", operation.path))
            steps = [*apart.ours.steps(), *questions(apart.ours)]
            played = " ".join(str(step.body) for step in steps if shape.fullmatch(step.path))
            missing = {field for field in operation.id_fields if f"'{field}':" not in played}
            assert missing == set(), f"{operation.name}: tests/year.py never names {missing}"


@pytest.mark.parametrize("keyed", [False, True])
def test_foreign_province_is_one_that_does_not_exist(apart: Apart, *, keyed: bool) -> None:
    headers = {"idempotency-key": "step-0"} if keyed else {}
    with apart.client() as client:
        for operation in apart.operations():
            body, theirs = apart.bodies_of(operation, apart.theirs)[0], apart.theirs.path_parameters
            foreign = ask(client, apart, operation, url_of(operation, theirs), body, **headers)
            nowhere = {**theirs, "province": "tinh-z"}
            absent = ask(client, apart, operation, url_of(operation, nowhere), body, **headers)
            assert foreign.status_code == 404, operation.name
            assert told(foreign, but="tinh-b") == told(absent, but="tinh-z"), operation.name
            assert b"tinh-b" not in foreign.content


def test_foreign_id_is_one_that_nobody_has(apart: Apart) -> None:
    """Path and body: one id after the other is B's, all others are A's own. What makes something new comes last."""
    tried = 0
    places = [
        (operation, body, place)
        for operation in apart.operations()
        for body in apart.bodies_of(operation, apart.ours)
        for place in apart.places(operation, body)
    ]
    with apart.client() as client:
        for operation, body, (place, ours, theirs) in sorted(places, key=lambda each: apart.names_something_new(*each)):
            absent = ANOTHER_PERSON if theirs.startswith("p-") else theirs.removesuffix("b") + "z"
            answers: list[httpx.Response] = []
            for other in (theirs, absent):
                if place == "body":
                    asked = apart.url(operation), with_other(body, ours, other)
                else:
                    asked = apart.url(operation, **{place: other}), body
                answers.append(ask(client, apart, operation, *asked))
            tried += 1
            foreign, nobodys = answers
            where = f"{operation.name}, {place}: {theirs}"
            assert foreign.status_code == nobodys.status_code, where
            new = apart.names_something_new(operation, body, (place, ours, theirs))
            if foreign.status_code in REFUSED or not (operation.records or new):  # a list of nothing may be empty
                assert told(foreign, but=theirs) == told(nobodys, but=absent), where
            else:
                assert new or b'{"events":[],' in foreign.content, (where, foreign.text)
    assert tried > 80


def test_cursor_position_and_tag_of_another_province_are_worth_nothing(apart: Apart) -> None:
    theirs = apart.service.token(f"admin@{apart.theirs.province}")
    with apart.client() as client:
        for operation in apart.operations():
            if ("query", "as_of") not in operation.parameters:
                continue
            page = {"limit": "1"} if ("query", "cursor") in operation.parameters else {}
            their_url = url_of(operation, apart.theirs.path_parameters, **page)
            their_own = client.get(their_url, headers=theirs)
            assert their_own.status_code == 200, (their_url, their_own.text)
            says_no_id = operation.path in SAYS_NO_ID
            assert says_no_id or f"-{apart.theirs.mark}" in their_own.text, "B has something here to leak"
            plain = ask(client, apart, operation, apart.url(operation), None)
            assert plain.status_code == 200
            tagged = ask(
                client,
                apart,
                operation,
                apart.url(operation),
                None,
                **{"if-none-match": their_own.headers.get("etag", "*")},
            )
            assert tagged.status_code in {200, 304}
            position = int(their_own.headers["log-position"]) + 1_000
            later = url_of(operation, apart.ours.path_parameters, as_of=str(position))
            beyond = ask(client, apart, operation, later, None)
            assert beyond.status_code == 422, (operation.name, beyond.text)
            if cursor := their_own.json().get("next"):
                going_on = url_of(operation, apart.ours.path_parameters, cursor=cursor)
                paged = ask(client, apart, operation, going_on, None)
                assert paged.status_code in {200, 422}


def test_key_used_in_another_province_is_free_here(apart: Apart) -> None:
    """Both provinces were played with the same keys; what A is told under one is A's own."""
    with apart.client() as client:
        for number, step in enumerate(apart.ours.steps()):
            url = (IN_PROVINCE + step.path).format(**apart.ours.path_parameters)
            headers = {**apart.service.token(apart.ours.sub(step.by)), "idempotency-key": f"step-{number}"}
            again = client.post(url, json=step.body, headers=headers)
            assert again.status_code == step.status, (url, again.text)
            assert apart.theirs.canary not in again.text
            body = with_their_texts(apart, step.body)
            foreign = client.post(url, json=body, headers=headers)
            assert foreign.status_code in {201, 404, 409, 422}
            if body != step.body:
                assert foreign.json()["code"] == "idempotency-key-reused", (url, foreign.text)


def with_their_texts(apart: Apart, body: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return B's body of the same step."""
    bodies = [step.body for step in apart.ours.steps()]
    return apart.theirs.steps()[bodies.index(body)].body


def test_what_a_proxy_might_say_has_no_effect(apart: Apart) -> None:
    with apart.client() as client:
        for operation in apart.operations():
            body: Any = None if operation.method == "GET" else {}
            plain = ask(client, apart, operation, apart.url(operation), body)
            if operation.method == "POST" and plain.is_success:
                continue  # an empty body is a whole command here, and it has been obeyed before
            forwarded = ask(client, apart, operation, apart.url(operation), body, **FORWARDED)
            again = ask(client, apart, operation, apart.url(operation), body)
            # A webhook's handshake is tried again meanwhile, and then it stands otherwise.
            assert told(forwarded, but="") in (told(plain, but=""), told(again, but="")), operation.name
            foreign = ask(client, apart, operation, apart.url(operation, province="tinh-b"), body, **FORWARDED)
            assert foreign.status_code == 404
