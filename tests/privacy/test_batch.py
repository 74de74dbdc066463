"""In one batch, what comes before an erasure is sealed with the key that ends, and what comes after with another."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from msgspec import structs

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import mint_person
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.meetings.events import MeetingHeld
from emulation_saas.pledges.events import PledgeSigned
from emulation_saas.privacy.use_cases import ErasePerson, LiftHold, PlaceHold
from tests.builders import PERSON, SAMPLES
from tests.logs import open_province, running_logs
from tests.projections.live import Tell

SIGNED, HELD = SAMPLES[PledgeSigned], SAMPLES[MeetingHeld]


@dataclass(frozen=True)
class Counted(Tell):
    """These events happened, and how often that was decided."""

    tries: list[None]

    def decide(self, view: None, may: Authority, now: datetime) -> Sequence[Event]:
        self.tries.append(None)
        return super().decide(view, may, now)


async def test_keys_of_all_who_are_new_in_a_batch_are_made_together(database_url: str) -> None:
    assert isinstance(SIGNED, PledgeSigned)
    signers = [structs.replace(SIGNED.signed_by, person=mint_person()) for _ in range(12)]
    signed = [structs.replace(SIGNED, signed_by=signer) for signer in signers]
    async with running_logs(database_url) as logs:
        opened = await open_province(logs)
        tries: list[None] = []
        await asyncio.gather(*(opened.log.execute(Counted((each,), tries), by=opened.acting()) for each in signed))
        assert len(tries) <= 3 * len(signed), "each is decided once to learn its key, and once more"
        found = await opened.log.recorded([Selector(types=[PledgeSigned])])
        assert {each.event.signed_by.person for each in found} == {signer.person for signer in signers}
        assert {each.event.signed_by.name for each in found} == {SIGNED.signed_by.name}
        assert [len(await opened.log.kids_of(signer.person)) for signer in signers] == [1] * len(signers)


async def test_key_follows_the_order_of_a_batch(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        opened = await open_province(logs)
        log, by = opened.log, opened.acting()
        await log.execute(Tell((SIGNED,)), by=by)
        (kid,) = await log.kids_of(PERSON)
        erase = ErasePerson(person=PERSON, kids=(kid,), legal_basis="Luật 91/2025/QH15", document_no="12/YC")
        hold = PlaceHold(person=PERSON, kids=(kid,), legal_basis="Luật", because="")  # so that the facts are read
        await log.execute(hold, by=by)
        await log.execute(LiftHold(person=PERSON, kids=(kid,), because=""), by=by)
        before, erased, after = await asyncio.gather(
            log.execute(Tell((SIGNED,)), by=by), log.execute(erase, by=by), log.execute(Tell((HELD,)), by=by)
        )
        assert (before.position + 1, erased.position + 1) == (erased.position, after.position)
        signed, held = (msgspec.json.decode(each.events[0])["data"] for each in (before, after))
        assert signed["signed_by"]["name"]["kid"] == kid
        new_kid = held["chairs"][0]["name"]["kid"]
        assert new_kid != kid
        await log.finish_erasures()
        assert await log.kids_of(PERSON) == [new_kid]
        names = [each.event.signed_by.name for each in await log.recorded([Selector(types=[PledgeSigned])])]
        assert names == [None, None]
        (meeting,) = await log.recorded([Selector(types=[MeetingHeld])])
        assert meeting.event == HELD
