"""How far a sender has come: known to it at once, and a little later to who reads the cursor or takes it over."""

from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Final
from uuid import UUID

from emulation_saas.streams.cursors import Cursor, Cursors
from emulation_saas.webhooks.tries import CursorLostError

SAVE_EVERY_S: Final = 1.0
"""How often a cursor is moved at most over what is hidden or not selected."""


@dataclass
class Place:
    """One webhook's place in the log, as the holder of its cursor has it."""

    cursors: Cursors
    holder: UUID
    cursor: Cursor
    at: int = field(init=False)
    """Everything up to here was sent, set aside or is not to be sent; the cursor follows."""
    _saved_s: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        """Begin where the cursor stands."""
        self.at = self.cursor.position

    async def save(self, *, at_once: bool = True) -> bool:
        """Move the cursor to here; return False when that is put off for a moment.

        Args:
            at_once: also makes sure that the cursor is still held, where it does not move.

        Raises:
            CursorLostError: another process sends for it by now.
        """
        before, now_s = self.cursor.position, monotonic()
        if before == self.at and not at_once:
            return True
        if not at_once and now_s - self._saved_s < SAVE_EVERY_S:
            return False
        if not await self.cursors.move_held(self.cursor.name, self.holder, expected=before, position=self.at):
            raise CursorLostError(self.cursor.name)
        self.cursor, self._saved_s = replace(self.cursor, position=self.at), now_s
        return True
