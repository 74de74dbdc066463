"""What the service does by itself: interrupted erasures are completed, finished days of the access log digested.

Every worker does it for every province, again and again. All of it may be done twice, or by two at once.
"""

import asyncio
from datetime import date
from typing import Final

import structlog

from emulation_saas.kernel.cancelling import raise_if_cancelled
from emulation_saas.kernel.ids import OPERATOR
from emulation_saas.kernel.use_cases import Acting, Selector
from emulation_saas.log import ProvinceLog, ProvinceLogs
from emulation_saas.privacy.access_log import AccessLog
from emulation_saas.privacy.events import AccessLogDigested
from emulation_saas.privacy.use_cases import DigestAccessLog

EVERY_S: Final = 30.0
"""So that an erased person's keys are destroyed within a minute, whatever became of the request."""

_log: Final = structlog.stdlib.get_logger("emulation_saas.privacy")


class Upkeep:
    """Looks after the personal data of all provinces until it is cancelled."""

    def __init__(self, logs: ProvinceLogs, access_log: AccessLog, *, every_s: float = EVERY_S) -> None:
        """Take the logs and the access log to look after."""
        self._logs = logs
        self._access_log = access_log
        self._every_s = every_s
        self._digested: dict[str, date] = {}
        """The last day of each province whose digest is on record."""

    async def run(self) -> None:
        """Look after every province now and from time to time; what fails is tried again."""
        while True:
            try:
                for log in await self._logs.all():
                    await self._look_after(log)
            except Exception as error:  # noqa: BLE001 - asyncpg raises outside its own classes when the server dies
                raise_if_cancelled()
                _log.warning("provinces-unknown", exc_info=error)
            await asyncio.sleep(self._every_s)

    async def _look_after(self, log: ProvinceLog) -> None:
        try:
            await log.finish_erasures()
            await self.digest_finished_days(log)
        except Exception as error:  # noqa: BLE001 - as above
            raise_if_cancelled()
            _log.warning("upkeep-failed", province=log.handle, exc_info=error)

    async def digest_finished_days(self, log: ProvinceLog) -> None:
        """Put the digests of all days that are over on record, in order; the service itself acts, as `operator`."""
        while day := await self._access_log.next_finished_day(log.province, after=await self._last_digested(log)):
            digest = await self._access_log.digest(log.province, day)
            digesting = DigestAccessLog(day=day, entries=digest.entries, sha256=digest.sha256)
            await log.execute(digesting, by=Acting(OPERATOR))
            self._digested[log.handle] = day

    async def _last_digested(self, log: ProvinceLog) -> date:
        if log.handle not in self._digested:
            found = await log.recorded([Selector(types=[AccessLogDigested])])
            self._digested[log.handle] = max((each.event.day for each in found), default=date.min)
        return self._digested[log.handle]
