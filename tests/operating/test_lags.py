"""Lags are exact: the head less the position reached, of one moment, of one province."""

from datetime import date
from pathlib import Path

import pytest

from emulation_saas.agencies.events import AgencyRegistered
from emulation_saas.kernel.ids import AgencyId
from emulation_saas.operating.lags import Follower, Lags
from emulation_saas.projecting.folding import Poison
from emulation_saas.projecting.rebuild import rebuild
from emulation_saas.projecting.storing import Store
from emulation_saas.streams.cursors import Cursors
from projections.roster import Roster
from projections.years import Years
from tests.http.notebook import ISSUER
from tests.logs import open_province
from tests.privacy.living import HERE, alive
from tests.projections.live import place


def agency(handle: str) -> AgencyRegistered:
    return AgencyRegistered(agency=AgencyId(handle), name=handle, aliases=[], effective_on=date(2020, 1, 1))


async def test_lag_is_the_head_less_the_position_reached(database_url: str) -> None:
    async with place(database_url) as there:
        built = await there.tell(agency("noi-vu"))
        await rebuild(there.log, there.database, Roster())
        await Cursors(there.database, there.log.province, "webhook").open("portal", position=2)
        await Cursors(there.database, there.log.province, "bridge").open("nats", position=built)
        await Cursors(there.database, there.log.province, "consumer").open("report", position=0)
        head = await there.tell(*(agency(f"a-{number}") for number in range(5)))
        standing = await Lags(there.database, [Roster(), Years()]).of(there.log.province)
        assert standing.head == head
        assert standing.followers == [
            Follower("bridge", "nats", built, 0, 5),
            Follower("consumer", "report", 0, 0, head),
            Follower("projection", "roster", built, 0, 5),
            Follower("projection", "years", 0, 0, head),
            Follower("webhook", "portal", 2, 0, head - 2),
        ]


async def test_quarantined_documents_are_counted_in_the_version_that_is_read(database_url: str) -> None:
    async with place(database_url) as there:
        async with there.database.in_province(there.log.province) as connection:
            stopped = [Poison("roster", version, "all", 2, "LookupError: đơn vị lạ") for version in (1, 99)]
            await Store(connection, there.log.province).quarantine(stopped)
        standing = await Lags(there.database, [Roster(), Years()]).of(there.log.province)
        assert [(each.name, each.quarantined) for each in standing.of_kind("projection")] == [
            ("roster", 1),
            ("years", 0),
        ]


async def test_province_is_told_its_own_lags(database_url: str) -> None:
    async with place(database_url) as there:
        other = (await open_province(there.logs, "nam-song")).log
        await Cursors(there.database, other.province, "webhook").open("portal", position=1)
        mine, theirs = [await Lags(there.database, [Roster()]).of(log.province) for log in (there.log, other)]
        assert [each.kind for each in mine.followers] == ["projection"]
        assert [each.kind for each in theirs.followers] == ["projection", "webhook"]


@pytest.mark.parametrize(("role", "status"), [("integrator", 200), ("auditor", 200), ("member-representative", 403)])
async def test_lags_are_told_to_overseers_and_integrators(
    database_url: str, tmp_path: Path, role: str, status: int
) -> None:
    async with alive(database_url, tmp_path) as living:
        admin = {"issuer": ISSUER, "sub": "admin", "name": "Nguyễn Thị Quản Trị"}
        opening = {"province": "bac-song", "name": "Tỉnh Bắc Sông", "kind": "tinh", "code": "00"}
        opening |= {"effective_on": "2020-01-01", "legal_basis": "NQ 1"}
        await living.done("/v1/provinces", {**opening, "admin": admin}, sub="root")
        await living.done(f"{HERE}/agencies", {"agency": "noi-vu", "name": "Sở Nội vụ", "effective_on": "2020-01-01"})
        registered = await living.done(f"{HERE}/persons", {"issuer": ISSUER, "sub": "ada", "name": "Ada"})
        granted = {"person": registered["events"][0]["data"]["person"], "role": role}
        if role == "member-representative":
            granted["agency"] = "noi-vu"
        head = (await living.done(f"{HERE}/roles", granted))["position"]
        answer = await living.ask(f"{HERE}/lag", sub="ada")
        assert answer.status_code == status
        if status == 200:
            told = answer.json()
            assert told["head"] == head
            assert {each["lag"] + each["position"] for each in told["projections"]} == {head}
            assert told["webhooks"] == told["bridges"] == told["consumers"] == []
