"""The library's own tests of recorders pass against the log. They are called by name: inherited, none would run."""

import asyncio

from eventsourcing.dcb.tests import DCBRecorderTestCase

from tests.log.adapter import Carried, SyncRecorder, bridge
from tests.logs import open_province, running_logs


async def test_librarys_test_of_append_and_read_passes(database_url: str) -> None:
    async with running_logs(database_url, extra=(Carried,)) as logs:
        province = await open_province(logs)
        recorder = await asyncio.to_thread(SyncRecorder, bridge(), province)
        suite = DCBRecorderTestCase()
        await asyncio.to_thread(suite._test_append_read, recorder, initial_position=0)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - so it is named
        assert (await province.log.head()).position == recorder.before + 13


async def test_librarys_test_of_append_and_subscribe_passes(database_url: str) -> None:
    async with running_logs(database_url, extra=(Carried,)) as logs:
        province = await open_province(logs)
        recorder = await asyncio.to_thread(SyncRecorder, bridge(), province)
        suite = DCBRecorderTestCase()
        await asyncio.to_thread(suite._test_append_subscribe, recorder, initial_position=0)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - so it is named
        assert (await province.log.head()).position == recorder.before + 2
