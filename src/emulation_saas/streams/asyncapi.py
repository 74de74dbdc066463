"""What the service sends, and where, as an AsyncAPI 3 document: made from the types of events, as their schemas are."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from emulation_saas.http.limits import PAGE_MAX, WAIT_MAX_S
from emulation_saas.kernel.events import Event, Visibility
from emulation_saas.kernel.ids import HANDLE_PATTERN
from emulation_saas.kernel.numbers import INTEGER_MAX
from emulation_saas.streams.schemas import path_of, title_of
from emulation_saas.streams.sights import TAGS_MAX, TYPES_MAX

MEDIA_TYPE: Final = "application/vnd.aai.asyncapi+json;version=3.0.0"
_Json = dict[str, Any]
_FORMAT: Final = "application/schema+json;version=draft-2020-12"
_EVENT: Final = "application/cloudevents+json"
_ADDRESS: Final = "/v1/provinces/{province}/events"
_TEST: Final = "webhook.test.v1"
_EVERYBODY: Final = Visibility.PUBLIC
_NOBODY: Final = Visibility.SEALED
_BEARER: Final = [{"$ref": "#/components/securitySchemes/bearer"}]
_GUARANTEES: Final = (
    "Every channel sends every event that its receiver may see, at least once, from any position on. The feed, a "
    "consumer, an ordered webhook and the broker's stream have one order: that of the log. An event is named for ever "
    "by its `source` and `id`; its bytes are those that are stored, hashed and proved."
)


def asyncapi_of(event_types: Sequence[type[Event]]) -> _Json:
    """Return the description of all channels."""
    types = sorted((each for each in event_types if each.visibility is not _NOBODY), key=lambda each: each.type)
    messages = {name: _messages_of(name, types) for name in _CHANNELS}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:emulation:asyncapi",
        "info": {
            "title": "emulation-saas",
            "version": version("emulation-saas"),
            "description": f"What provinces' logs tell; commands and questions are at `/schema`. {_GUARANTEES}",
        },
        "defaultContentType": _EVENT,
        "servers": _SERVERS,
        "channels": {name: _channel(told, messages[name]) for name, told in _CHANNELS.items()},
        "operations": {f"send_{name}": _operation(name, told, messages[name]) for name, told in _CHANNELS.items()},
        "components": {
            "messages": {
                **{each.type: _message(each) for each in types},
                "batch": _batch(types),
            },
            "schemas": {"webhookHeaders": _WEBHOOK_HEADERS},
            "securitySchemes": _SECURITY,
        },
    }


def _server(host: str, description: str, protocol: str = "https") -> _Json:
    return {
        "host": f"{{{host}}}",
        "protocol": protocol,
        "description": description,
        "variables": {host: {"description": "Host name and port"}},
    }


_SERVERS: Final[_Json] = {
    "service": {**_server("service", "The service; it is asked"), "security": _BEARER},
    "receiver": _server("receiver", "Whoever registered a webhook"),
    "broker": {
        **_server("broker", "The broker of whoever runs the service: NATS with JetStream", "nats"),
        "security": [{"$ref": "#/components/securitySchemes/broker"}],
    },
}
_SECURITY: Final[_Json] = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A JWT of a known issuer"},
    "broker": {"type": "userPassword", "description": "What the broker demands of its subscribers"},
}
_SELECTION: Final[_Json] = {
    "after": {
        "type": "integer",
        "minimum": 0,
        "maximum": INTEGER_MAX,
        "description": "The last position that was dealt with; on a stream the header Last-Event-ID wins over it",
    },
    "through": {"type": "integer", "minimum": 1, "maximum": INTEGER_MAX, "description": "The last position wanted"},
    "types": {
        "type": "string",
        "description": f"Names of types with commas between; `*` stands for any part of a name; at most {TYPES_MAX}",
    },
    "tags": {"type": "string", "description": f"Tags with commas between, all of them; at most {TAGS_MAX}"},
}
_LIMIT: Final[_Json] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "description": "At most so many events"},
}
_TURN: Final[_Json] = {
    **_LIMIT,
    "wait": {
        "type": "integer",
        "minimum": 0,
        "maximum": WAIT_MAX_S,
        "description": "Seconds to wait for an event, where there is none yet",
    },
}
_WEBHOOK_HEADERS: Final[_Json] = {
    "type": "object",
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
    "properties": {
        "webhook-id": {"type": "string", "description": "The same each time the event is sent"},
        "webhook-timestamp": {"type": "string", "pattern": "^[0-9]+$", "description": "Of this attempt, in seconds"},
        "webhook-signature": {
            "type": "string",
            "description": "Signatures with a space between: `v1,` HMAC-SHA256, `v1a,` Ed25519 (Standard Webhooks 1.0)",
        },
    },
}
_CHANNELS: Final[dict[str, _Json]] = {
    "feed": {
        "address": _ADDRESS,
        "server": "service",
        "title": "The log as a stream",
        "description": "Server-Sent Events: `id` is the position, `event` the type, `data` the stored bytes. An id "
        "alone says up to where nothing more is shown. `head` says that nothing is left to catch up with, `end` why "
        "the stream ends; it ends before its token does, to be taken up again.",
        "http": {"method": "GET", "query": {"type": "object", "properties": _SELECTION | _LIMIT}},
    },
    "poll": {
        "address": _ADDRESS,
        "server": "service",
        "title": "The log page by page",
        "description": "`Log-Scanned-To` is the next `after`; it moves even when nothing of a page is shown. As "
        "`application/x-ndjson` a page has an event a line.",
        "http": {"method": "GET", "query": {"type": "object", "properties": _SELECTION | _TURN}},
    },
    "consumer": {
        "address": "/v1/provinces/{province}/consumers/{consumer}/events",
        "server": "service",
        "title": "The log page by page, for a reader whose place the service keeps",
        "description": "A page is acknowledged by its `Log-Scanned-To`; what was not comes again.",
        "http": {"method": "GET", "query": {"type": "object", "properties": _TURN}},
    },
    "webhook": {
        "address": None,
        "server": "receiver",
        "title": "Events posted to a URL",
        "description": "One event a request, signed. Of a type that not everybody may read comes which event it is and "
        "where it can be read (`dataref`).",
        "http": {"method": "POST"},
    },
    "nats": {
        "address": "{prefix}.{province}.{type}",
        "server": "broker",
        "title": "Events published to a broker",
        "description": "A stream a province. `Nats-Msg-Id` is the province's handle, a colon and the position.",
    },
}
_PARAMETERS: Final[_Json] = {
    "province": {"description": f"The province's handle, {HANDLE_PATTERN}"},
    "consumer": {"description": f"The consumer's handle, {HANDLE_PATTERN}"},
    "prefix": {"description": "Of whoever runs the service", "default": "td"},
    "type": {"description": "The type's name; it has dots, so `*` does not stand for all of it, but `>` does"},
}


def _messages_of(channel: str, event_types: Sequence[type[Event]]) -> _Json:
    """Return the messages of a channel: a page of events is one, and what is posted is signed in its headers."""
    if channel in {"poll", "consumer"}:
        return {"batch": {"$ref": "#/components/messages/batch"}}
    if channel == "webhook":
        messages = {each.type: _message(each) for each in event_types}
        thin = {each.type: {"payload": _thin(each.type)} for each in event_types if each.visibility is not _EVERYBODY}
        headers = {"headers": {"$ref": "#/components/schemas/webhookHeaders"}}
        posted = {name: {**message, **thin.get(name, {}), **headers} for name, message in messages.items()}
        return {**posted, _TEST: {"name": _TEST, "title": "Whether the receiver wants the events", **headers}}
    return {each.type: {"$ref": f"#/components/messages/{each.type}"} for each in event_types}


def _channel(told: _Json, messages: _Json) -> _Json:
    address: str | None = told["address"]
    named = {each: of for each, of in _PARAMETERS.items() if f"{{{each}}}" in (address or "")}
    return {
        "address": address,
        "title": told["title"],
        "description": told["description"],
        "servers": [{"$ref": f"#/servers/{told['server']}"}],
        "messages": messages,
        **({"parameters": named} if named else {}),
    }


def _operation(name: str, told: _Json, messages: _Json) -> _Json:
    return {
        "action": "send",
        "title": told["title"],
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{each}"} for each in messages],
        **({"bindings": {"http": {**told["http"], "bindingVersion": "0.3.0"}}} if "http" in told else {}),
    }


def _message(event_type: type[Event]) -> _Json:
    """Return what is told of a type's events; who may read them is said as a tag."""
    return {
        "name": event_type.type,
        "title": title_of(event_type),
        "contentType": _EVENT,
        "payload": {"schemaFormat": _FORMAT, "schema": {"$ref": path_of(event_type.type)}},
        "tags": [{"name": event_type.visibility.value, "description": "Who may read it"}],
    }


def _thin(name: str) -> _Json:
    """Return the payload of an event that not everybody may read: which it is, and where it can be read."""
    text = {"type": "string"}
    properties = dict.fromkeys(("dataref", "id", "recordedtime", "source", "specversion", "time"), text)
    return {"type": "object", "required": [*properties, "type"], "properties": {**properties, "type": {"const": name}}}


def _batch(event_types: Sequence[type[Event]]) -> _Json:
    items = {"anyOf": [{"$ref": path_of(each.type)} for each in event_types]}
    return {
        "name": "batch",
        "title": "A page of events, in order; an empty one when there is none",
        "contentType": "application/cloudevents-batch+json",
        "payload": {"schemaFormat": _FORMAT, "schema": {"type": "array", "items": items}},
    }
