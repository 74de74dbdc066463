"""The AsyncAPI document is one by its own standard, leads somewhere, and names every type of event."""
# ruff: noqa: ANN401 - documents are read as anybody reads JSON

import json
import re
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, Final

import httpx
import jsonschema_rs
import msgspec
import pytest

from emulation_saas.kernel.events import Visibility
from emulation_saas.streams import asyncapi, schemas
from emulation_saas.streams.asyncapi import asyncapi_of
from emulation_saas.streams.contract_routes import contract_routes
from emulation_saas.streams.routes import ROUTES
from emulation_saas.wiring import EVENT_TYPES
from tests.http.notebook import calling, little_service

STANDARD: Final = Path(__file__).parent / "asyncapi" / "3.0.0.json"
validator: Any = jsonschema_rs.Draft7Validator
LIMITS: Final = {"type": None, "minimum": 0, "maximum": None}
"""What a parameter may be; the framework leaves a zero out."""
NAMES: Final = sorted(each.type for each in EVENT_TYPES)


@pytest.fixture(scope="module")
def told() -> Any:
    """The document as it is served."""
    return msgspec.json.decode(msgspec.json.encode(asyncapi_of(EVENT_TYPES)))


@pytest.fixture(scope="module")
def standard() -> Any:
    return validator(json.loads(STANDARD.read_text(encoding="utf-8")))


def test_document_is_by_the_standard(told: Any, standard: Any) -> None:
    assert [f"{error.instance_path}: {error.message}" for error in standard.iter_errors(told)] == []


WRONG: Final[list[tuple[str, Any]]] = [
    ("info", None),
    ("asyncapi", "2.6.0"),
    ("operations/send_feed/action", "publish"),
    ("operations/send_feed/channel", None),
    ("servers/service/host", None),
    ("channels/feed/messages", []),
    ("components/messages/batch/payload", 1),
    ("components/securitySchemes/bearer/scheme", 1),
]


@pytest.mark.parametrize(("pointer", "value"), WRONG)
def test_standard_finds_what_is_wrong(told: Any, standard: Any, pointer: str, value: Any) -> None:
    wrong = json.loads(json.dumps(told))
    *steps, last = pointer.split("/")
    place = reduce(getitem, steps, wrong)
    del place[last]
    if value is not None:
        place[last] = value
    assert not standard.is_valid(wrong)


def test_every_reference_leads_somewhere(told: Any) -> None:
    references = re.findall(r'"\$ref": "([^"]+)"', json.dumps(told))
    assert len(references) > 3 * len(NAMES)
    for reference in references:
        if reference.startswith("/schemas/"):
            assert reference.removeprefix("/schemas/") in NAMES
            continue
        assert reduce(getitem, reference.removeprefix("#/").split("/"), told)


def test_every_type_is_a_message_and_the_service_only_sends(told: Any) -> None:
    assert sorted(told["components"]["messages"]) == sorted([*NAMES, "batch"])
    assert {operation["action"] for operation in told["operations"].values()} == {"send"}
    for channel in ("feed", "nats"):
        assert sorted(told["channels"][channel]["messages"]) == NAMES


def test_webhook_sends_in_full_what_everybody_may_read(told: Any) -> None:
    messages = told["channels"]["webhook"]["messages"]
    assert sorted(messages) == sorted([*NAMES, "webhook.test.v1"])
    for each in EVENT_TYPES:
        message = messages[each.type]
        assert message["headers"] == {"$ref": "#/components/schemas/webhookHeaders"}
        if each.visibility is Visibility.PUBLIC:
            assert message["payload"]["schema"] == {"$ref": f"/schemas/{each.type}"}
        else:
            assert "data" not in message["payload"]["properties"]
            assert "dataref" in message["payload"]["required"]


async def test_contract_is_served_to_everybody(tmp_path: Path, told: Any) -> None:
    app = little_service(tmp_path, contract=contract_routes(EVENT_TYPES))
    async with calling(app, sub=None) as client:
        answer = await client.get("/asyncapi.json")
        assert answer.headers["content-type"] == asyncapi.MEDIA_TYPE
        assert answer.json() == told
        index = (await client.get("/schemas")).json()["schemas"]
        assert [each["type"] for each in index] == NAMES
        for each in index:
            served = await client.get(each["href"])
            assert served.headers["content-type"] == schemas.MEDIA_TYPE
            assert served.json()["$id"] == each["href"]
            assert served.json()["properties"]["dataschema"]["const"] == each["dataschema"]
        page = await client.get("/schema")
        assert {"/asyncapi.json", "/schemas"} <= set(re.findall(r'href="([^"]+)"', page.text))
        assert (await client.get("/schema/openapi.json")).json()["externalDocs"]["url"] == "/asyncapi.json"


async def test_schema_of_no_type_is_not_found(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path, contract=contract_routes(EVENT_TYPES)), sub=None) as client:
        answer = await client.get("/schemas/ballot.vote-cast.v9")
        assert (answer.status_code, answer.json()["code"]) == (httpx.codes.NOT_FOUND, "no-such-schema")


async def test_what_may_be_asked_is_what_the_route_takes(tmp_path: Path, told: Any) -> None:
    given: dict[str, object] = {"tails": None, "subscribers": None}
    async with calling(little_service(tmp_path, routes=ROUTES, given=given), sub=None) as client:
        paths = (await client.get("/schema/openapi.json")).json()["paths"]
    (described,) = [methods["get"] for path, methods in paths.items() if path.endswith("/events")]
    taken = {each["name"]: each["schema"] for each in described["parameters"] if each["in"] == "query"}
    for name in ("feed", "poll"):
        asked = told["operations"][f"send_{name}"]["bindings"]["http"]["query"]["properties"]
        assert set(taken) - set(asked) == {"lastEventId", "timeout"} | ({"wait"} if name == "feed" else set())
        for parameter, schema in asked.items():
            same = {**taken[parameter], **taken[parameter].get("oneOf", [{}])[0]}
            for limit, otherwise in LIMITS.items():
                assert schema.get(limit, otherwise) == same.get(limit, otherwise), parameter
        assert told["channels"][name]["address"] in paths
