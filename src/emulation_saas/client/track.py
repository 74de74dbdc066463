"""Positions: none missing, none twice, none out of order. The client's own eyes, whatever the service promises."""

from emulation_saas.client.faults import MissingPositionError, RepeatedPositionError


class Track:
    """How far somebody has come in a log."""

    def __init__(self, after: int, *, gapless: bool) -> None:
        """Begin behind a position.

        Args:
            after: the last position that was dealt with; 0 for none.
            gapless: whether every event can be seen and is wanted, so that each position must come.
        """
        self.position = after
        """Everything up to here has come, or was looked through and not shown."""
        self._is_gapless = gapless

    def take(self, position: int) -> None:
        """Go on to an event.

        Raises:
            RepeatedPositionError: it has come already.
            MissingPositionError: one before it has not come.
        """
        if position <= self.position:
            raise RepeatedPositionError(self.position, position)
        if self._is_gapless and position != self.position + 1:
            raise MissingPositionError(self.position + 1, position)
        self.position = position

    def pass_over(self, position: int) -> None:
        """Go on to a position up to which nothing more is shown.

        Raises:
            RepeatedPositionError: it lies behind.
            MissingPositionError: every event was to be shown.
        """
        if position < self.position:
            raise RepeatedPositionError(self.position, position)
        if self._is_gapless and position > self.position:
            raise MissingPositionError(self.position + 1, position)
        self.position = position
