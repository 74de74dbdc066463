"""Looking: once a second a worker notes who waits and how its loops are, for whichever worker is asked."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log import ProvinceLog
from emulation_saas.operating.counting import Counts

LOOK_S: Final = 1.0


class Lookout:
    """Notes how this worker stands."""

    def __init__(
        self,
        counts: Counts,
        logs: Callable[[], Sequence[ProvinceLog]],
        streams: Callable[[], Mapping[ProvinceId, Sequence[int]]],
        faults: Callable[[], Sequence[str]],
        forked: Callable[[], int],
    ) -> None:
        """Have seen nothing yet.

        Args:
            counts: where it is noted.
            logs: the logs that this worker knows.
            streams: the positions of the streams that are open here, by province.
            faults: what is wrong with the loops of this worker.
            forked: how many logs contradict what was signed of them.
        """
        self._counts = counts
        self._logs = logs
        self._streams = streams
        self._faults = faults
        self._forked = forked

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Note how it stands now."""
        streams = self._streams()
        for log in self._logs():
            positions = streams.get(log.province, ())
            behind = max(0, log.known_head - min(positions)) if positions else 0
            self._counts.waits(log.handle, queued=log.queued, streams=len(positions), behind=behind)
        self._counts.lives(faults=len(self._faults()), forked=self._forked())
