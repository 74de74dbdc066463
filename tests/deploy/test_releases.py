"""Two releases side by side: the newer one records events of a type that the older one does not know.

The older one, which is the code as it is, answers as if they were not there, goes on deciding and recording, and its
feed stops before them: they are told by the newer one.
"""

import asyncio
import io
import tarfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar, Final

import httpx

from emulation_saas.kernel.cancelling import end
from emulation_saas.kernel.events import Event, Visibility
from emulation_saas.kernel.ids import OPERATOR
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.operating.loops import Patience
from emulation_saas.projecting import Runner
from projections import PROJECTIONS
from tests.audit.auditing import HERE, Service, serving
from tests.builders import AGENCY, BALLOT, BLOC, YEAR
from tests.logs import running_logs
from tests.projections.live import Tell

BLOC_YEAR: Final = f"/blocs/{BLOC}/years/{YEAR}"
DOCUMENTS: Final = (
    "/agencies",
    "/blocs",
    f"/blocs/{BLOC}",
    f"{BLOC_YEAR}/standings",
    f"{BLOC_YEAR}/ballots/{BALLOT}/tally",
    f"{BLOC_YEAR}/nominations",
    f"{BLOC_YEAR}/timeline",
)


class Praised(Event, frozen=True, kw_only=True):
    """What the next release brings: about an agency, in a year and a ballot that the older one keeps documents of."""

    type: ClassVar[str] = "praise.given.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    agency: str

    def tags(self) -> list[str]:
        return [f"agency:{self.agency}", f"bloc:{BLOC}", f"year:{BLOC}/{YEAR}", f"ballot:{BALLOT}"]

    def subject(self) -> str:
        return f"blocs/{BLOC}/years/{YEAR}"


async def answers(service: Service) -> dict[str, tuple[int, bytes]]:
    """Return the documents as the older release shows them."""
    told: dict[str, tuple[int, bytes]] = {}
    for path in DOCUMENTS:
        answer = await service.get(path)
        told[path] = answer.status_code, answer.content
    return told


async def register(service: Service, agency: str) -> httpx.Response:
    body = {"agency": agency, "name": f"Sở {agency}", "effective_on": "2020-01-01"}
    return await service.client.post(f"{HERE}/agencies", json=body)


async def newer_release_records(url: str, *events: Event) -> int:
    async with running_logs(url, extra=(Praised,)) as newer:
        log = await newer.find("bac-song")
        assert log is not None
        return (await log.execute(Tell(events), by=Acting(OPERATOR))).position


@asynccontextmanager
async def keeping_up(service: Service) -> AsyncGenerator[None]:
    """Keep the older release's documents up while inside."""
    task = asyncio.create_task(Runner(service.logs, service.database, PROJECTIONS).run())
    try:
        yield
    finally:
        await end([task])


async def test_older_release_lives_with_events_that_it_does_not_know(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service, keeping_up(service):
        before = await answers(service)
        last_known = (await service.log.head()).position
        position = await newer_release_records(database_url, Praised(agency=AGENCY), Praised(agency=AGENCY))
        after = await answers(service)
        assert {status for status, _ in before.values()} == {200}
        assert after == before

        recorded = await register(service, "so-moi")
        assert recorded.status_code == 201, recorded.text
        assert int(recorded.headers["log-position"]) == position + 1
        seen = await service.get("/agencies", min_position=position + 1)
        assert "so-moi" in seen.text

        page = await service.get("/events", after=last_known - 3, limit=100)
        assert page.status_code == 200
        assert [event["id"] for event in page.json()] == [str(last_known - number) for number in (2, 1, 0)]
        beyond = await service.get("/events", after=last_known, limit=100)
        assert (beyond.status_code, beyond.json()["code"]) == (503, "busy")

        export = await service.get("/log/export", "auditor")
        assert export.status_code == 200
        with tarfile.open(fileobj=io.BytesIO(export.content)) as archive:
            checkpoint = archive.extractfile("checkpoint")
            assert checkpoint is not None
            assert int(checkpoint.read().split(b"\n")[1]) == position + 1


async def test_older_worker_is_not_at_fault_where_only_the_newer_one_goes_on(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service, service.tails.following(service.log) as tail:
        patience = Patience(lambda: service.tails.reached, service.logs.waker.known_head, seconds=1.0)
        position = await newer_release_records(database_url, Praised(agency=AGENCY))
        for _ in range(12):
            await asyncio.sleep(0.25)
            assert not patience.is_at_end()
        assert service.logs.waker.known_head(service.log.province) == position == tail.position + 1
