"""The log's own events: its opening, changes of its key, what stands for types of later releases."""

from typing import ClassVar

from emulation_saas.kernel.events import Event, Visibility


class LogOpened(Event, frozen=True, kw_only=True):
    """The log was opened under this origin and this key; everything after it can be checked against them."""

    type: ClassVar[str] = "log.opened.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    format: str
    origin: str
    vkey: str
    """C2SP verifier key: name, key id and Ed25519 public key; standard base64, as that format demands."""

    def tags(self) -> list[str]:
        """Return the tag of the log itself."""
        return ["log"]

    def subject(self) -> str | None:
        """Return None: it is about the province itself."""
        return None


class LogKeyRotated(Event, frozen=True, kw_only=True):
    """From here on the log's checkpoints are signed by this key; keys before it still verify older ones."""

    type: ClassVar[str] = "log.key-rotated.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    vkey: str
    """As at the log's opening, under the same name."""

    def tags(self) -> list[str]:
        """Return the tag of the log itself."""
        return ["log"]

    def subject(self) -> str | None:
        """Return None: it is about the province itself."""
        return None


class Unknown(Event, frozen=True, kw_only=True):
    """A later release wrote this; readers pass over it, and the log stays gapless for them."""

    type: ClassVar[str] = "log.unknown.v1"
    visibility: ClassVar[Visibility] = Visibility.SEALED

    def tags(self) -> list[str]:
        """Return none: it is found by no tag."""
        return []

    def subject(self) -> str | None:
        """Return None: what it is about is not known."""
        return None


EVENTS = (LogOpened, LogKeyRotated)
