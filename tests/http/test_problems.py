"""Refusals are problem documents: one shape, a stable code, the caller's language, and nothing that is not theirs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from litestar import get
from litestar.exceptions import ClientException, HTTPException, TooManyRequestsException
from litestar.params import QueryParameter
from structlog.testing import capture_logs

from emulation_saas.http.limits import BODY_BYTES_MAX
from emulation_saas.http.requests import fault_of
from emulation_saas.kernel.rejections import Conflict, NotEmpowered, Rejection, TimeInFuture
from emulation_saas.log import Accepted, OutcomeUnknownError
from tests.http.notebook import NOTES, Notebook, calling, little_service

JSON = {"content-type": "application/json"}


class Kindless(Rejection):
    """A rejection of no kind is a fault of ours."""

    code = "kindless"


class Already(Conflict):
    """It is so already."""

    code = "already"


async def told(tmp_path: Path, error: Exception) -> httpx.Response:
    """Return what is answered when a command fails like this."""

    async def fail() -> Accepted:
        raise error

    async with calling(little_service(tmp_path, notebook=Notebook(fail))) as client:
        return await client.post(f"{NOTES}/a", json={"note": "x"})


async def test_a_problem_has_one_shape(tmp_path: Path) -> None:
    answer = await told(tmp_path, Already("since 2023"))
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    told_of = answer.json()
    UUID(told_of["instance"].removeprefix("urn:uuid:"))
    assert told_of == {
        "type": "urn:emulation:problem:already",
        "title": "It is so already.",
        "status": 409,
        "code": "already",
        "detail": "since 2023",
        "instance": f"urn:uuid:{answer.headers['x-request-id']}",
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotEmpowered(), 403, "not-empowered"),
        (TimeInFuture(), 422, "time-in-future"),
        (Kindless(), 500, "internal-error"),
        (OutcomeUnknownError(), 503, "outcome-unknown"),
        (ConnectionRefusedError(), 503, "busy"),
        (TimeoutError(), 503, "busy"),
        (asyncpg.CannotConnectNowError(), 503, "busy"),
        (asyncpg.TooManyConnectionsError(), 503, "busy"),
        (asyncpg.InterfaceError("closed"), 503, "busy"),
        (TooManyRequestsException(), 429, "too-many-requests"),
        (ClientException(), 400, "bad-request"),
        (HTTPException(status_code=418), 500, "internal-error"),
        (ZeroDivisionError(), 500, "internal-error"),
        (RecursionError(), 500, "internal-error"),
    ],
)
async def test_each_failure_has_its_status(tmp_path: Path, error: Exception, status: int, code: str) -> None:
    answer = await told(tmp_path, error)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("retry-after" in answer.headers) == (status in {429, 503})


async def test_what_was_not_foreseen_shows_nothing_and_logs_everything(tmp_path: Path) -> None:
    with capture_logs() as lines:
        answer = await told(tmp_path, RuntimeError("password of the database"))
    assert "password" not in answer.text + str(answer.headers)
    assert answer.json()["title"].startswith("The service failed.")
    [line] = [line for line in lines if line["event"] == "internal-error"]
    assert str(line["exc_info"]) == "password of the database"
    assert (line["request_id"], line["province"]) == (answer.headers["x-request-id"], "bac-song")


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        (None, "en"),
        ("vi", "vi"),
        ("vi-VN,vi;q=0.9,en-US;q=0.8,en;q=0.7", "vi"),
        ("en-GB, vi;q=0.5", "en"),
        ("fr, vi;q=0.1", "vi"),
        ("fr", "en"),
        ("*", "en"),
        ("vi;q=0", "en"),
        ("vi;q=x, en;q=0.1", "en"),
        ("vi;level=1", "vi"),
    ],
)
async def test_titles_are_in_the_caller_s_language(tmp_path: Path, accept: str | None, language: str) -> None:
    headers = {} if accept is None else {"accept-language": accept}
    async with calling(little_service(tmp_path), sub=None) as client:
        answer = await client.get(NOTES, headers=headers)
    assert answer.headers["content-language"] == language
    assert "accept-language" in answer.headers["vary"]
    assert answer.json()["title"].startswith("Thiếu" if language == "vi" else "The bearer")


async def test_languages_may_be_listed_in_two_headers(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path), sub=None) as client:
        answer = await client.get(NOTES, headers=[("accept-language", "fr"), ("accept-language", "vi")])
    assert answer.headers["content-language"] == "vi"


async def test_a_code_without_translation_is_told_in_english(tmp_path: Path) -> None:
    async def fail() -> Accepted:
        raise Already

    async with calling(little_service(tmp_path, notebook=Notebook(fail))) as client:
        answer = await client.post(f"{NOTES}/a", json={"note": "x"}, headers={"accept-language": "vi"})
    assert answer.json()["title"] == "It is so already."


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", JSON, 400, "malformed-json"),
        (b"{", JSON, 400, "malformed-json"),
        (b"[]", JSON, 422, "malformed-body"),
        (b'{"note":"x","note":"y"}', JSON, 422, "duplicate-key"),
        (b"[" * 5000, JSON, 422, "too-deep"),
        (b"{}", {}, 415, "unsupported-media-type"),
        (b"{}", {"content-type": "text/json"}, 415, "unsupported-media-type"),
        (b"{}", {"content-type": "application/json; charset=latin1"}, 415, "unsupported-media-type"),
        (b"{}", JSON | {"content-encoding": "gzip"}, 415, "unsupported-media-type"),
        (b"x" * (BODY_BYTES_MAX + 1), JSON, 413, "body-too-large"),
        (b"{}", JSON | {"content-length": "9" * 5000}, 413, "body-too-large"),
        (b"{}", JSON | {"content-length": "-1"}, 413, "body-too-large"),
    ],
)
async def test_a_bad_body_is_refused_by_its_fault(
    tmp_path: Path, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    notebook = Notebook()
    async with calling(little_service(tmp_path, notebook=notebook)) as client:
        answer = await client.post(f"{NOTES}/a", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"], notebook.asked) == (status, code, [])


async def test_a_body_in_pieces_is_measured_as_it_comes(tmp_path: Path) -> None:
    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b" " * 1000

    async with calling(little_service(tmp_path)) as client:
        answer = await client.post(f"{NOTES}/a", content=pieces(300), headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
        answer = await client.post(f"{NOTES}/a", content=pieces(3), headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed-json")


async def test_media_types_are_named_in_any_case(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path)) as client:
        headers = {"content-type": "Application/JSON; charset=UTF-8"}
        answer = await client.post(f"{NOTES}/a", content=b'{"note":"x"}', headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/note"),
        ({"note": 7}, "/note"),
        ({"note": ""}, "/note"),
        ({"note": "\u200b \ufeff"}, "/note"),
        ({"note": None}, "/note"),
        ({"note": "x", "tenant/a~b": 1}, "/tenant~1a~0b"),
        ({"note": "x", "province": "other"}, "/province"),
        ({"note": "x", "marks": [1, 11]}, "/marks/1"),
        ({"note": "x", "marks": ["1"]}, "/marks/0"),
        ({"note": "x", "marks": [1] * 6}, "/marks"),
        ({"note": "x", "time": "2024-01-30T02:00:00.5Z"}, "/time"),
    ],
)
async def test_a_misshapen_body_is_told_where(tmp_path: Path, body: dict[str, Any], pointer: str) -> None:
    async with calling(little_service(tmp_path)) as client:
        answer = await client.post(f"{NOTES}/a", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed-body")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


def test_a_pointer_leads_through_objects_and_lists() -> None:
    assert fault_of("Expected `str`, got `int` - at `$.a[0].b[12]`").pointer == "/a/0/b/12"
    assert fault_of("Object contains unknown field `c` - at `$.a[0]`").pointer == "/a/0/c"
    assert fault_of("Expected `object`, got `array`").pointer == ""


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/provinces/bac-song/years/2023?since=x", 422, "malformed-parameter"),
        ("/v1/provinces/bac-song/notes?limit=0", 422, "bad-limit"),
        ("/v1/provinces/bac-song/notes?limit=1001", 422, "bad-limit"),
        ("/v1/provinces/bac-song/notes?limit=many", 422, "bad-limit"),
        ("/v1/provinces/bac-song/notes?cursor=none", 422, "bad-cursor"),
        ("/v1/provinces/bac-song/years/twenty", 404, "no-such-route"),
        ("/v1/provinces/bac-song/nothing", 404, "no-such-route"),
        ("/nothing", 404, "no-such-route"),
        ("/", 404, "no-such-route"),
        ("/v1/provinces/bac-song/notes/a", 405, "method-not-allowed"),
    ],
)
async def test_a_bad_address_is_refused_by_its_fault(tmp_path: Path, path: str, status: int, code: str) -> None:
    async with calling(little_service(tmp_path)) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (answer.headers.get("allow") == "OPTIONS, POST") == (status == 405)


async def test_a_bad_parameter_is_named_and_what_it_says_is_not_repeated(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path)) as client:
        assert (await client.get("/schema/openapi.json")).status_code == 200  # derived from the handlers' arguments
        answer = await client.get("/v1/provinces/bac-song/years/2023?since=secret")
        page = await client.get(f"{NOTES}?limit=0")
    assert [fault["parameter"] for fault in answer.json()["errors"]] == ["since"]
    assert "secret" not in answer.text
    assert page.json()["code"] == "bad-limit"


async def test_a_parameter_is_named_as_the_query_names_it_and_missed_where_it_is_required(tmp_path: Path) -> None:
    @get("/between")
    async def between(
        start: Annotated[int, QueryParameter(name="from")], end: Annotated[int, QueryParameter(name="to")]
    ) -> int:
        return end - start

    async with calling(little_service(tmp_path, routes=[between])) as client:
        answers = [
            await client.get(f"/v1/provinces/bac-song/between{query}") for query in ("", "?to=x&from=1", "?to=7")
        ]
        assert (await client.get("/v1/provinces/bac-song/between?to=7&from=3")).text == "4"
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "malformed-parameter")}
    assert [[(fault["parameter"], fault["detail"]) for fault in answer.json()["errors"]] for answer in answers] == [
        [("from", "it is required"), ("to", "it is required")],
        [("to", "Expected `int`, got `str`")],
        [("from", "it is required")],
    ]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("as_off=7", [("as_off", "there is no such parameter")]),
        ("limit=1&limit=2", [("limit", "given more than once")]),
        ("Limit=1", [("Limit", "there is no such parameter")]),
        ("=1", [("", "there is no such parameter")]),
        ("x" * 500, [("x" * 100, "there is no such parameter")]),
        (
            "&".join(f"p{number}=" for number in range(50)),
            [(f"p{n}", "there is no such parameter") for n in [0, 1, *range(10, 18)]],
        ),
    ],
)
async def test_what_a_route_does_not_declare_or_is_said_twice_is_refused(
    tmp_path: Path, query: str, told: list[tuple[str, str]]
) -> None:
    async with calling(little_service(tmp_path)) as client:
        answer = await client.get(f"/v1/provinces/bac-song/notes?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed-parameter")
    assert [(fault["parameter"], fault["detail"]) for fault in answer.json()["errors"]] == told


async def test_a_request_cut_at_its_deadline_has_an_unknown_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulation_saas.http.application.REQUEST_TIMEOUT_S", 0.05)

    async def never() -> Accepted:
        await asyncio.sleep(10)
        raise AssertionError

    @get("/sleep")
    async def sleep() -> None:
        await asyncio.sleep(10)

    async def no_body() -> AsyncIterator[bytes]:
        await asyncio.sleep(10)
        yield b""

    app = little_service(tmp_path, notebook=Notebook(never), routes=[sleep])
    async with calling(app) as client:
        command = await client.post(f"{NOTES}/a", json={"note": "x"})
        slow = await client.post(f"{NOTES}/a", content=no_body(), headers=JSON)
        reading = await client.get("/v1/provinces/bac-song/sleep")
        streamed = await client.get("/v1/provinces/bac-song/stream")
    assert streamed.text == "data: 1\n\ndata: 2\n\n", "a stream has its own end"
    assert (command.status_code, command.json()["code"]) == (503, "outcome-unknown")
    assert (slow.status_code, slow.json()["code"]) == (408, "request-too-slow")
    assert (reading.status_code, reading.json()["code"]) == (503, "busy")
