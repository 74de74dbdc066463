"""Change the key that signs a log's checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.rejections import Conflict, NotEmpowered
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.log.events import LogKeyRotated, LogOpened

Vkeys = tuple[str, ...]

KEYS_OVERLAPPING_MAX: Final = 4
"""How many keys sign one checkpoint at most: the newest, and those that it replaced not long ago."""


class LogKeyOutOfOrder(Conflict):
    """The log does not have the key yet that this one would follow."""

    code = "log-key-out-of-order"


class LogKeyTaken(Conflict):
    """Another rotation took this key for the log a moment ago."""

    code = "log-key-taken"


class LogKeysOverlap(Conflict):
    """Too many keys of the log still sign beside the newest. The next one waits until the oldest has ceased to."""

    code = "log-keys-overlap"


@dataclass(frozen=True)
class RotateLogKey(UseCase[Vkeys]):
    """An administrator has the log signed by its next key."""

    number: int
    """Which of the log's keys it is; 1 is the one that the log was opened with."""
    vkey: str
    """Minted for each attempt, so a repetition is known by the number."""
    retired: int
    """How many of the log's keys no longer sign."""

    def facts(self) -> Sequence[Selector]:
        return [Selector(types=[LogOpened, LogKeyRotated], tags=["log"])]

    @staticmethod
    def initial() -> Vkeys:
        return ()

    @staticmethod
    def evolve(view: Vkeys, event: Event) -> Vkeys:
        match event:
            case LogOpened(vkey=vkey) | LogKeyRotated(vkey=vkey):
                return (*view, vkey)
            case _:
                return view

    def decide(self, view: Vkeys, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_admin:
            raise NotEmpowered
        if self.number > len(view) + 1:
            raise LogKeyOutOfOrder(f"the log has {len(view)}")
        if self.number <= len(view):
            return []
        if self.vkey in view:
            raise LogKeyTaken
        if len(view) - self.retired >= KEYS_OVERLAPPING_MAX:
            raise LogKeysOverlap(f"{len(view) - self.retired} keys sign now")
        return [LogKeyRotated(vkey=self.vkey)]
