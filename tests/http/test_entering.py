"""Who may enter: the token first, then the province and the caller's standing, then the request itself."""

import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulation_saas.http.limits import IDEMPOTENCY_KEY_MAX
from emulation_saas.kernel.ids import OPERATOR
from tests.http.notebook import ADA, NOTES, Notebook, calling, little_service, token


def without_request_id(answer: httpx.Response) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "x-request-id"]
    return answer.status_code, {**answer.json(), "instance": None}, headers


async def test_a_command_reaches_the_log_with_who_asks(tmp_path: Path) -> None:
    notebook = Notebook()
    async with calling(little_service(tmp_path, notebook=notebook)) as client:
        answer = await client.post(f"{NOTES}/a", json={"note": "đồng ý"})
    assert answer.status_code == 201
    [(note, text, by)] = notebook.asked
    assert (note, text, by.person, by.idempotency_key) == ("a", "đồng ý", ADA, None)


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", token(), f"Token {token()}", f"Bearer {token()} x"],
)
async def test_nobody_enters_without_a_token(tmp_path: Path, authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    async with calling(little_service(tmp_path), sub=None) as client:
        answer = await client.post(f"{NOTES}/a", content=b"\xff not read", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unknown-caller")
    assert answer.headers["www-authenticate"] == 'Bearer realm="emulation"'


async def test_the_scheme_is_named_in_any_case(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path), sub=None) as client:
        answer = await client.get(NOTES, headers={"authorization": f"bEARER  {token()}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["notes/a", "notes/A%00B"])
@pytest.mark.parametrize("sub", ["stranger", "gone", "root"])
async def test_a_province_without_a_role_is_no_province(tmp_path: Path, sub: str, path: str) -> None:
    async with calling(little_service(tmp_path), sub=sub) as client:
        no_role = await client.post(f"/v1/provinces/bac-song/{path}", content=b"\xff")
    async with calling(little_service(tmp_path)) as client:
        nowhere = await client.post(f"/v1/provinces/nowhere/{path}", content=b"\xff")
        never = await client.post(f"/v1/provinces/B%20%00/{path}", content=b"\xff")
    assert without_request_id(no_role) == without_request_id(nowhere) == without_request_id(never)
    assert (no_role.status_code, no_role.json()["code"]) == (404, "no-such-province")


@pytest.mark.parametrize("handle", ["A", "a%00", "a%0Ab", "đ", "a" * 41, "%F0%9F%98%80", "a b"])
async def test_what_is_no_handle_names_nothing(tmp_path: Path, handle: str) -> None:
    notebook = Notebook()
    async with calling(little_service(tmp_path, notebook=notebook)) as client:
        answer = await client.post(f"{NOTES}/{handle}", json={"note": "x"})
    assert (answer.status_code, answer.json()["code"], notebook.asked) == (404, "no-such-thing", [])


async def test_a_key_comes_with_the_fingerprint_of_the_request(tmp_path: Path) -> None:
    notebook = Notebook()
    async with calling(little_service(tmp_path, notebook=notebook)) as client:
        for body in (b'{"note":"x","time":"2024-01-30"}', b'{ "time" : "2024-01-30" , "note" : "\\u0078" }'):
            headers = {"idempotency-key": "k 1".replace(" ", "-"), "content-type": "application/json"}
            assert (await client.post(f"{NOTES}/a", content=body, headers=headers)).status_code == 201
    expected = hashlib.sha256(b'POST\n/v1/provinces/bac-song/notes/a\n{"note":"x","time":"2024-01-30"}').digest()
    assert [(by.idempotency_key, by.fingerprint) for _, _, by in notebook.asked] == [("k-1", expected)] * 2


@pytest.mark.parametrize(
    ("key", "status"),
    [("k" * IDEMPOTENCY_KEY_MAX, 201), ("!~", 201), ("k" * 201, 422), ("", 422), ("a b", 422), ("đ", 422)],
)
async def test_a_key_is_visible_ascii_of_bounded_length(tmp_path: Path, key: str, status: int) -> None:
    async with calling(little_service(tmp_path)) as client:
        headers = {b"idempotency-key": key.encode()}
        answer = await client.post(f"{NOTES}/a", json={"note": "x"}, headers=headers)
    assert answer.status_code == status
    assert status == 201 or answer.json()["code"] == "bad-idempotency-key"


async def test_reading_takes_no_key(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path)) as client:
        answer = await client.get(NOTES, headers={"idempotency-key": "a b"})
    assert answer.json() == {"person": ADA, "limit": 100, "start": [None, None]}


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 201),
        ("application/json", 201),
        ("text/html, application/*;q=0.5", 201),
        ("text/html", 406),
        ("application/xml", 406),
        ("nonsense", 406),
        ("text/html;q=inf", 406),
        ("a/b;q=1e999, application/json", 406),
        ("application/json;q=nan", 201),
    ],
)
async def test_answers_are_json_or_not_acceptable(tmp_path: Path, accept: str, status: int) -> None:
    async with calling(little_service(tmp_path)) as client:
        answer = await client.post(f"{NOTES}/a", json={"note": "x"}, headers={"accept": accept})
    assert answer.status_code == status


async def test_a_stream_is_asked_for_as_a_stream(tmp_path: Path) -> None:
    path = "/v1/provinces/bac-song/stream"
    async with calling(little_service(tmp_path)) as client:
        assert (await client.get(path, headers={"accept": "text/event-stream"})).text.startswith("data: 1\n\n")
        assert (await client.get(path, headers={"accept": "application/xml"})).status_code == 406


async def test_an_operator_opens_provinces(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path), sub="root") as client:
        answer = await client.post("/v1/provinces", json={}, headers={"idempotency-key": "k"})
    # The little route takes no body, so a key alone demands one.
    assert answer.json() == {"person": OPERATOR, "key": "k"}


async def test_nobody_else_opens_provinces(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path)) as client:
        answer = await client.post("/v1/provinces", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "not-empowered")


async def test_the_province_comes_from_the_path_alone(tmp_path: Path) -> None:
    lies = {"host": "nowhere.example", "x-forwarded-host": "nowhere", "forwarded": "host=nowhere", "x-province": "no"}
    async with calling(little_service(tmp_path)) as client:
        told = await client.get(NOTES, headers=lies)
        plain = await client.get(NOTES)
    assert (told.status_code, told.content) == (plain.status_code, plain.content)
