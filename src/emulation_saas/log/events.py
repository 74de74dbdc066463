"""The log's own events: position 1 of every province, and what stands for a type that this release does not know."""

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


EVENTS = (LogOpened,)
