"""Once a person was erased, no process decides by the name any more, whatever it had folded before."""

from datetime import date
from typing import Any

import pytest
from msgspec import structs

from emulation_saas.blocs.events import MemberAdmitted
from emulation_saas.kernel.ids import OPERATOR, AgencyId
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.pledges.events import PledgeDrafted, PledgeSigned
from emulation_saas.pledges.use_cases import AlreadySigned, SignPledge
from emulation_saas.privacy.events import PersonErased
from emulation_saas.years.events import YearOpened
from tests.builders import PERSON, SAMPLES
from tests.log.test_sealing import NAME, registered
from tests.logs import open_province, running_logs
from tests.privacy.living import run_sql
from tests.projections.histories import OFFICER
from tests.projections.live import Tell

OPENED = SAMPLES[YearOpened]


async def test_every_process_forgets_an_erased_name_once_it_knows_of_the_erasure(database_url: str) -> None:
    assert isinstance(OPENED, YearOpened)
    bloc, year, agency = OPENED.bloc, OPENED.year, AgencyId("so-tu-phap")
    async with running_logs(database_url) as here, running_logs(database_url) as there:
        province = await open_province(here)
        other = await there.find("bac-song")
        assert other is not None
        history = (
            MemberAdmitted(bloc=bloc, agency=agency, effective_on=date(2020, 1, 1), legal_basis="QĐ"),
            OPENED,
            PledgeDrafted(bloc=bloc, year=year, text="Giao ước"),
            PledgeSigned(bloc=bloc, year=year, agency=agency, signed_by=OFFICER),
        )
        await province.log.execute(Tell(history), by=Acting(OPERATOR))
        by_another = SignPledge(
            bloc=bloc, year=year, agency=agency, signed_by=structs.replace(OFFICER, name="Trần Thị Khác")
        )
        for log in (province.log, other):
            with pytest.raises(AlreadySigned):
                await log.execute(by_another, by=province.acting())
        kids = await province.log.kids_of(OFFICER.person)
        erased = PersonErased(person=OFFICER.person, kids=kids, legal_basis="Luật 91/2025/QH15", document_no="1")
        await province.log.execute(Tell((erased,)), by=Acting(OPERATOR))
        # The keys are not destroyed yet, as when the request was interrupted; an erased name contradicts no name.
        assert len(await province.log.kids_of(OFFICER.person)) == 1
        for log in (province.log, other):
            assert (await log.execute(by_another, by=province.acting())).events == []


async def test_looking_for_interrupted_erasures_forgets_no_other_key(server: Any, database_url: str) -> None:  # noqa: ANN401
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        await province.log.execute(Tell((SAMPLES[PledgeSigned],)), by=Acting(OPERATOR))
        kids = await province.log.kids_of(PERSON)
        erased = PersonErased(person=PERSON, kids=kids, legal_basis="Luật 91/2025/QH15", document_no="1")
        await province.log.execute(Tell((erased,)), by=Acting(OPERATOR))
        await province.log.finish_erasures()
        assert await province.log.kids_of(PERSON) == []
        assert (await registered(province)).name == NAME
        await run_sql(server, database_url, "DELETE FROM sealing.subject_keys")
        await province.log.finish_erasures()  # again: nothing is left to destroy
        assert (await registered(province)).name == NAME, "what is in memory stays there for its minute"
