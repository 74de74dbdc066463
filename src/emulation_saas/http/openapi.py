"""The interface's description: what the framework derives from the routes, completed by what it cannot know.

It cannot know that every command may carry an Idempotency-Key, that every refusal is a problem document, which refusals
there are, and that bodies are taken strictly: their schemas come from the very types that decode them.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from importlib.metadata import version
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Router
from litestar.datastructures import ResponseHeader
from litestar.enums import OpenAPIMediaType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, ExternalDocumentation, SecurityScheme
from litestar.routes import HTTPRoute

from emulation_saas.http.answers import ANSWERS, RECEIPT, SPELLED
from emulation_saas.http.limits import IDEMPOTENCY_KEY_MAX
from emulation_saas.http.problems import MEDIA_TYPE, Problem
from emulation_saas.http.reference import Reference, policy
from emulation_saas.kernel.ids import HANDLE_PATTERN

_REF: Final = "#/components/schemas/{name}"
_ANY_REFUSAL: Final = {
    400: "The request is malformed.",
    401: "The bearer token is missing or not accepted.",
    403: "The caller is known and not empowered.",
    404: "There is no such thing, or the caller may not know of it.",
    406: "The answer exists in no accepted media type.",
    408: "The request did not arrive in time.",
    414: "Path and query are too long.",
    422: "It is well formed and can be true in no state.",
    429: "The caller asks too often.",
    431: "The headers are too long.",
    500: "The service failed.",
    503: "The service is busy, or the outcome is unknown: ask again.",
}
_QUESTION_REFUSAL: Final = {413: "The body is too long.", 415: "The body is not application/json."}
_COMMAND_REFUSAL: Final = {409: "It contradicts the present state.", **_QUESTION_REFUSAL}
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeating a command with its key answers as the first time; another body under a key is refused.",
    "schema": {"type": "string", "pattern": f"^[!-~]{{1,{IDEMPOTENCY_KEY_MAX}}}$"},
}
_PREFER: Final = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": f"`{RECEIPT}`: the answer brings a proof, checkable offline, that its last event is in the log.",
    "schema": {"type": "string", "examples": [RECEIPT]},
}
_LAST_EVENT_ID: Final = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "Of a stream of Server-Sent Events: the last id that was received; it is taken up after that one.",
    "schema": {"type": "string", "pattern": "^[0-9]{1,16}$"},
}
_RECEIPT: Final = {
    "type": "string",
    "description": "Where one was preferred: a C2SP tlog-proof of the last event, with a signed checkpoint",
}
_EVENT: Final = {
    "type": "object",
    "description": "An event as it is stored: a CloudEvents 1.0 object in canonical JSON.",
    "required": ["actor", "data", "id", "recordedtime", "source", "specversion", "time", "type"],
    "properties": {
        "actor": {"type": "string", "description": "An opaque id of a person, or `operator`"},
        "causationid": {"type": "string", "description": "The position of the event that led to it, where one did"},
        "data": {"type": "object"},
        "id": {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "The position"},
        "recordedtime": {"type": "string", "format": "date-time"},
        "source": {"type": "string"},
        "specversion": {"const": "1.0"},
        "time": {"type": "string", "format": "date-time"},
        "type": {"type": "string", "description": "Stable name and version of the event's type"},
    },
}
_HEADERS: Final = {
    "RequestId": {"description": "The id of this request", "schema": {"type": "string", "format": "uuid"}},
    "LogPosition": {"description": "The position this is true at", "schema": {"type": "integer", "minimum": 1}},
    "LogRoot": {
        "description": "Root of the log's Merkle tree at that position, base64; where the past was asked for",
        "schema": {"type": "string"},
    },
    "RetryAfter": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}},
}
_Json = dict[str, Any]
_Place = tuple[Any, Callable[[_Json, _Json], None]]
"""A type, and what puts its schema where it belongs."""


class _Document(OpenAPIRenderPlugin):
    """Serves the description as JSON."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=OpenAPIMediaType.OPENAPI_JSON)

    def render(self, request: Request[Any, Any, Any], openapi_schema: _Json) -> bytes:
        return msgspec.json.encode(described(request.app, openapi_schema))


class _Page(OpenAPIRenderPlugin):
    """Serves the description as a page without scripts."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: _Json) -> bytes:
        return Reference(described(request.app, openapi_schema)).page().encode()


def openapi_config() -> OpenAPIConfig:
    """Return what the framework needs to describe the service at /schema."""
    bearer = SecurityScheme(type="http", scheme="bearer", bearer_format="JWT", description="A JWT of a known issuer")
    return OpenAPIConfig(
        title="emulation-saas",
        version=version("emulation-saas"),
        description="Emulation blocs of Vietnamese provinces: every act an event, every figure computed from events.",
        openapi_router=Router(
            path="/schema",
            route_handlers=[],
            include_in_schema=False,
            response_headers=[ResponseHeader(name="content-security-policy", value=policy())],
        ),
        render_plugins=[_Document(), _Page()],
        components=Components(security_schemes={"bearer": bearer}),
        external_docs=ExternalDocumentation(url="/asyncapi.json", description="What the service sends, as AsyncAPI"),
        use_handler_docstrings=True,
    )


def described(app: Litestar, derived: _Json) -> _Json:
    """Return the completed description; made once for an application."""
    if "openapi" not in app.state:
        app.state["openapi"] = _completed(app, deepcopy(derived))
    description: _Json = app.state["openapi"]
    return description


def _completed(app: Litestar, schema: _Json) -> _Json:
    components = schema["components"]
    components["schemas"] = _with_own_schemas(app, schema["paths"])
    components["schemas"]["Event"] = _EVENT
    for name in ("Accepted", "Confided"):
        if accepted := components["schemas"].get(name):
            accepted["properties"]["events"]["items"] = {"$ref": _REF.format(name="Event")}
            accepted["properties"]["receipt"] = _RECEIPT
    components["headers"] = _HEADERS
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _complete(operation, path=path, method=method)
    return schema


def _with_own_schemas(app: Litestar, paths: _Json) -> _Json:
    """Put the types' own schemas for bodies and answers, and return the components they and problems need."""
    places: list[_Place] = []
    for operation, handler in _operations(app, paths):
        if data := handler.parsed_fn_signature.parameters.get("data"):
            places.append((data.annotation, partial(_put_body, operation)))
        places += _told_otherwise(operation, handler)
        answer = handler.parsed_fn_signature.return_type.annotation
        if isinstance(answer, type) and issubclass(answer, msgspec.Struct):
            places.append((answer, partial(_put_answer, operation, str(handler.status_code), "application/json")))
    types = [annotation for annotation, _ in places]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=_REF)
    for (_, put), schema in zip(places, schemas, strict=False):
        put(schema, components)
    return components


def _told_otherwise(operation: _Json, handler: HTTPRouteHandler) -> list[_Place]:
    """Put what a handler says of its answers and its path in its options, and return where its structs go."""
    for parameter in operation.get("parameters", []):
        if pattern := handler.opt.get(SPELLED, {}).get(parameter["name"]):
            parameter["schema"]["pattern"] = pattern
    answers: _Json = handler.opt.get(ANSWERS, {})
    if not answers:
        return []
    status = str(handler.status_code)
    others: _Json = {media_type: {"schema": told} for media_type, told in answers.items() if isinstance(told, dict)}
    operation["responses"][status]["content"] = others
    if "text/event-stream" in answers:
        operation["parameters"].append(_LAST_EVENT_ID)
    structs = [(media_type, told) for media_type, told in answers.items() if isinstance(told, type)]
    return [(told, partial(_put_answer, operation, status, media_type)) for media_type, told in structs]


def _operations(app: Litestar, paths: _Json) -> Iterator[tuple[_Json, HTTPRouteHandler]]:
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            for method in handler.http_methods:
                operation = paths.get(route.path_format, {}).get(method.lower())
                if operation is not None:
                    yield operation, handler


def _put_body(operation: _Json, schema: _Json, components: _Json) -> None:
    media: _Json = {"schema": schema, "example": _example(schema, components)}
    operation["requestBody"] = {"required": True, "content": {"application/json": media}}


def _put_answer(operation: _Json, status: str, media_type: str, schema: _Json, _: _Json) -> None:
    content = operation["responses"][status].get("content", {})
    operation["responses"][status]["content"] = {**content, media_type: {"schema": schema}}


def _complete(operation: _Json, *, path: str, method: str) -> None:
    responses = operation["responses"]
    responses.pop("400", None)  # the framework's own, of a shape that is never sent
    for response in responses.values():
        response.setdefault("headers", {})["X-Request-Id"] = {"$ref": "#/components/headers/RequestId"}
    if path == "/health/ready":
        responses["503"] = _refusal(503, "The database cannot be reached.")
    if path == "/metrics":
        responses |= {str(status): _refusal(status, meaning) for status, meaning in _ANY_REFUSAL.items()}
    if not path.startswith("/v1/"):
        return
    for response in responses.values():
        response["headers"]["Log-Position"] = {"$ref": "#/components/headers/LogPosition"}
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        if parameter["in"] == "path" and parameter["schema"].get("type") == "string":
            parameter["schema"].setdefault("pattern", HANDLE_PATTERN)
    refusals = _ANY_REFUSAL
    if "201" in responses:
        refusals = _ANY_REFUSAL | _COMMAND_REFUSAL
        parameters += [_IDEMPOTENCY_KEY, _PREFER]
        responses["201"]["description"] = "It was recorded, now or when it was asked before."
        responses["201"]["headers"]["Preference-Applied"] = {"schema": {"const": RECEIPT}}
    elif method == "post":  # a question that needs a body, or a cursor that moves: it records nothing, so it has no key
        refusals = _ANY_REFUSAL | (_COMMAND_REFUSAL if "409" in responses else _QUESTION_REFUSAL)
        responses["200"]["headers"]["Log-Root"] = {"$ref": "#/components/headers/LogRoot"}
    else:
        responses["200"]["headers"]["Log-Root"] = {"$ref": "#/components/headers/LogRoot"}
        responses["304"] = {"description": "The caller holds it already."}
    responses |= {str(status): _refusal(status, meaning) for status, meaning in refusals.items()}


def _refusal(status: int, meaning: str) -> _Json:
    headers: _Json = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if status == 401:  # noqa: PLR2004 - HTTP's own number
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    if status in {429, 503}:
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    content = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}}
    return {"description": meaning, "headers": headers, "content": content}


def _example(schema: _Json, components: _Json) -> Any:  # noqa: ANN401, PLR0911 - any JSON value; one return a kind
    """Return an example of what is required, from the examples that fields carry; None where a field carries none."""
    if "$ref" in schema:
        return _example(components[schema["$ref"].rsplit("/", 1)[1]], components)
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], components)
    match schema.get("type"):
        case "object":
            required = schema.get("required", [])
            return {name: _example(schema["properties"][name], components) for name in required}
        case "array":
            return [_example(schema["items"], components)] if schema.get("minItems") else []
        case "integer":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "string":
            return "2024-01-30" if schema.get("format") == "date" else "…"
        case _:
            return None
