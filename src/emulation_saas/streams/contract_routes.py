"""The contract documents over HTTP: for everybody, without a token, as the description of the interface is."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from emulation_saas.http.answers import JSON, Answer
from emulation_saas.kernel.events import Event
from emulation_saas.streams import asyncapi, schemas
from emulation_saas.streams.refusals import NoSuchSchema

_SCHEMA = (b"content-type", schemas.MEDIA_TYPE.encode())
_ASYNCAPI = (b"content-type", asyncapi.MEDIA_TYPE.encode())
_FRESH = (b"cache-control", b"public, max-age=300")


def contract_routes(event_types: Sequence[type[Event]]) -> list[HTTPRouteHandler]:
    """Return the routes of the documents about these types; the documents are made once."""
    index = msgspec.json.encode({"schemas": [_told(each) for each in sorted(event_types, key=lambda each: each.type)]})
    by_type = {each.type: msgspec.json.encode(schemas.schema_of(each)) for each in event_types}
    description = msgspec.json.encode(asyncapi.asyncapi_of(event_types))

    @get("/schemas", include_in_schema=False, sync_to_thread=False)
    def list_schemas() -> Answer:
        """Return the types of events there are, and where each is described."""
        return Answer(index, status=200, headers=[JSON, _FRESH])

    @get("/schemas/{name:str}", include_in_schema=False, sync_to_thread=False)
    def read_schema(name: FromPath[str]) -> Answer:
        """Return the JSON Schema of a type's events."""
        if name not in by_type:
            raise NoSuchSchema
        return Answer(by_type[name], status=200, headers=[_SCHEMA, _FRESH])

    @get("/asyncapi.json", include_in_schema=False, sync_to_thread=False)
    def read_asyncapi() -> Answer:
        """Return the AsyncAPI document."""
        return Answer(description, status=200, headers=[_ASYNCAPI, _FRESH])

    return [list_schemas, read_schema, read_asyncapi]


def _told(event_type: type[Event]) -> dict[str, Any]:
    return {
        "type": event_type.type,
        "title": schemas.title_of(event_type),
        "visibility": event_type.visibility.value,
        "dataschema": schemas.urn_of(event_type.type),
        "href": schemas.path_of(event_type.type),
    }
