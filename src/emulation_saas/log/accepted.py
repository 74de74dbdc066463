"""The answer to a command: the events it led to, as they are stored."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Accepted(msgspec.Struct, frozen=True):
    """What was recorded. Without events the command had already taken effect."""

    position: Annotated[int, Meta(ge=1, description="The log's position that this answer is true at")]
    events: Annotated[list[msgspec.Raw], Meta(description="The recorded events: CloudEvents 1.0, canonical JSON")]
