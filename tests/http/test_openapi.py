"""The description is complete and true, and its page loads nothing from anywhere."""

import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from litestar import Litestar, post
from litestar.params import JSONBody
from litestar.testing import TestClient
from msgspec import Meta
from schemathesis import GenerationMode
from schemathesis import checks as general_checks
from schemathesis.specs.openapi import checks as module

from emulation_saas.http.bodies import Body
from emulation_saas.kernel.numbers import PointsText
from tests.http.notebook import calling, little_service, token

fuzz: Any = schemathesis  # its types are too open for strict checking
checks: Any = module
general: Any = general_checks
COMMAND = "/v1/provinces/{province}/notes/{note}"
# Not `positive_data_acceptance`: a schema cannot say that 9.0 is no integer, nor which text is no cursor.
CHECKS: list[Any] = [
    general.not_a_server_error,
    checks.content_type_conformance,
    checks.negative_data_rejection,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
    checks.unsupported_method,
]


def description(app: Litestar) -> dict[str, Any]:
    with TestClient(app) as client:
        answer = client.get("/schema/openapi.json")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json"
    return cast("dict[str, Any]", answer.json())


def test_every_command_declares_all_its_refusals(tmp_path: Path) -> None:
    operation = description(little_service(tmp_path))["paths"][COMMAND]["post"]
    statuses = {201, 400, 401, 403, 404, 406, 408, 409, 413, 414, 415, 422, 429, 431, 500, 503}
    assert set(operation["responses"]) == {str(status) for status in statuses}
    for status in statuses - {201}:
        content = operation["responses"][str(status)]["content"]
        assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert operation["security"] == [{"bearer": []}]
    assert "Idempotency-Key" in {each["name"] for each in operation["parameters"]}


def test_a_body_s_schema_is_that_of_the_type_which_decodes_it(tmp_path: Path) -> None:
    told = description(little_service(tmp_path))
    body = told["paths"][COMMAND]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/NoteBody"}
    assert told["components"]["schemas"]["NoteBody"]["additionalProperties"] is False
    assert body["example"] == {"note": "…"}
    assert told["components"]["schemas"]["Accepted"]["properties"]["events"]["items"] == {
        "$ref": "#/components/schemas/Event"
    }


class Part(msgspec.Struct, frozen=True):
    """A part."""

    points: PointsText
    kind: Literal["a", "b"]
    on: date


class RichBody(Body, frozen=True, kw_only=True):
    """A body of everything."""

    part: Part
    parts: Annotated[tuple[Part, ...], Meta(min_length=1)]
    rest: tuple[Part, ...]
    count: Annotated[int, Meta(ge=3)]
    sure: bool
    either: int | None
    anything: msgspec.Raw


def test_a_command_has_an_example_of_what_it_demands(tmp_path: Path) -> None:
    @post("/rich")
    async def write_rich(data: JSONBody[RichBody]) -> None:
        del data

    told = description(little_service(tmp_path, routes=[write_rich]))
    operation = told["paths"]["/v1/provinces/{province}/rich"]["post"]
    part = {"points": "18.5", "kind": "a", "on": "2024-01-30"}
    assert operation["requestBody"]["content"]["application/json"]["example"] == {
        "part": part,
        "parts": [part],
        "rest": [],
        "count": 3,
        "sure": True,
        "either": 1,
        "anything": None,
    }


def test_every_reference_leads_somewhere(tmp_path: Path) -> None:
    told = description(little_service(tmp_path))
    for reference in re.findall(r"'\$ref': '#/([^']+)'", str(told)):
        place = told
        for step in reference.split("/"):
            place = place[step]


class _Loads(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "link", "img", "iframe", "object", "embed", "form", "base"}:
            self.found.append(tag)
        self.found += [name for name, _ in attrs if name.startswith("on") or name in {"src", "style"}]
        self.found += [value for name, value in attrs if name == "href" and value and not value.startswith(("/", "#"))]


async def test_the_page_loads_and_runs_nothing(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path), sub=None) as client:
        answer = await client.get("/schema")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    page = _Loads()
    page.feed(answer.text)
    assert page.found == []
    assert "<code>/v1/provinces/{province}/notes/{note}</code> " in answer.text


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_the_description_is_true(tmp_path: Path, mode: GenerationMode) -> None:
    schema = fuzz.openapi.from_asgi("/schema/openapi.json", little_service(tmp_path))
    headers = {"Authorization": f"Bearer {token()}"}
    operations = [each.ok() for each in schema.include(path_regex="/provinces/{province}/").get_all_operations()]
    assert len(operations) == 4
    for operation in operations:

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=25, deadline=None, database=None, suppress_health_check=[HealthCheck.filter_too_much])
        def holds(case: Any) -> None:  # noqa: ANN401 - as above
            if mode is GenerationMode.POSITIVE:
                case.path_parameters["province"] = "bac-song"
            case.call_and_validate(headers=headers, checks=CHECKS)

        holds()
