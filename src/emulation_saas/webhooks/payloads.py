"""What is sent of an event: its stored bytes where its type is public; else who it is and where it can be read."""

from typing import Final

import msgspec

from emulation_saas.kernel.events import Visibility
from emulation_saas.log import Entry

CONTENT_TYPE: Final = "application/cloudevents+json"
TEST_TYPE: Final = "webhook.test.v1"


class _Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may be told of every event to who may see it, wherever copies of it may come to lie."""

    dataref: str = ""
    id: str
    recordedtime: str
    source: str
    specversion: str
    time: str
    type: str


def payload(entry: Entry, visibility: Visibility, *, province: str) -> bytes:
    """Return the body that is sent for an event.

    Args:
        entry: as it is stored.
        visibility: of its type.
        province: the province's handle.
    """
    if visibility is Visibility.PUBLIC:
        return entry.body
    told = msgspec.json.decode(entry.body, type=_Told)
    where = f"/v1/provinces/{province}/events/{entry.position}"
    return msgspec.json.encode(msgspec.structs.replace(told, dataref=where))


def handshake_payload(*, province: str, webhook: str, time: str) -> bytes:
    """Return the body of a handshake: an event that is in no log."""
    told = {
        "data": {"webhook": webhook},
        "id": f"test-{webhook}",
        "source": f"/v1/provinces/{province}/webhooks/{webhook}",
        "specversion": "1.0",
        "time": time,
        "type": TEST_TYPE,
    }
    return msgspec.json.encode(told)


def message_id(province: str, what: object) -> str:
    """Return the id of a message: the same for every try. Handles hold no dots, which an id may not hold."""
    return f"msg_{province}_{what}"
