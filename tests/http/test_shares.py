"""What one person or province may take of a worker: who asks too fast waits, and is refused if he would wait long."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation_saas.http.exchange import Exchange
from emulation_saas.http.limits import (
    BURST_S,
    REQUESTS_PER_PERSON_MAX,
    REQUESTS_PER_PROVINCE_MAX,
    TURN_MAX_S,
)
from emulation_saas.http.refusals import ProvinceOverShare, TooManyRequests
from emulation_saas.http.shares import REMEMBERED_MAX, Buckets, Places, Shares
from emulation_saas.kernel.ids import PersonId, ProvinceId
from tests.http.notebook import NOTES, calling, little_service


def asked(person: str = "p-aaaaaaaaaa", province: str = "bac-song") -> Exchange:
    exchange = Exchange()
    exchange.province, exchange.person = province, PersonId(person)
    return exchange


@given(st.integers(1, 50), st.lists(st.floats(0, 3, allow_nan=False), max_size=60))
def test_no_more_is_let_in_than_the_rate_and_one_burst(per_s: int, pauses: list[float]) -> None:
    buckets, now, let_in = Buckets(per_s), 100.0, 0
    for pause in pauses:
        now += pause
        if buckets.due("a", now) <= now:
            buckets.take("a", now)
            let_in += 1
    assert let_in <= per_s * (now - 100.0) + max(per_s * BURST_S, 1) + 1e-6


@given(st.integers(1, 1_000), st.floats(0, 1_000, allow_nan=False))
def test_one_burst_is_there_at_once_for_who_has_not_asked(per_s: int, now: float) -> None:
    buckets = Buckets(per_s)
    for _ in range(max(int(per_s * BURST_S), 1)):
        assert buckets.due("a", now + 1) <= now + 1 + 1e-6
        buckets.take("a", now + 1)
    assert buckets.due("a", now + 1) + 1 / per_s > now + 1


def test_full_buckets_are_forgotten_and_others_are_not() -> None:
    buckets = Buckets(1)
    for number in range(REMEMBERED_MAX):
        buckets.take(number, 10.0)
    for _ in range(3):
        buckets.take("late", 20.0)
    assert len(buckets) == 1
    assert buckets.due("late", 20.0) == pytest.approx(23.0)


async def test_who_asks_faster_waits_for_his_turn() -> None:
    shares = Shares(per_person=10, per_province=1_000)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(4):
        await shares.take(asked())
    assert loop.time() - began >= 0.29


async def test_who_would_wait_too_long_is_told_when_to_come_back() -> None:
    shares = Shares(per_person=2, per_province=1_000, clock=lambda: 50.0)
    turns = [asyncio.create_task(shares.take(asked())) for _ in range(1 + 2 * int(TURN_MAX_S))]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests) as refused:
        await shares.take(asked())
    assert refused.value.retry_after_s == 1
    await shares.take(asked("p-bbbbbbbbbb"))
    await shares.take(asked(province="nam-song"))
    await asyncio.gather(*turns)


async def test_a_province_has_a_share_whoever_asks() -> None:
    shares = Shares(per_person=1_000, per_province=2, clock=lambda: 50.0)
    turns = [asyncio.create_task(shares.take(asked(f"p-{number:010}"))) for number in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(ProvinceOverShare):
        await shares.take(asked())
    await shares.take(asked(province="nam-song"))
    await asyncio.gather(*turns)


async def test_a_province_has_so_many_requests_in_flight_and_gets_each_place_back() -> None:
    shares = Shares(per_person=1_000_000, per_province=1_000_000)
    held = [asked(f"p-{number % 10:010}") for number in range(REQUESTS_PER_PROVINCE_MAX)]
    for exchange in held:
        await shares.take(exchange)
    with pytest.raises(ProvinceOverShare):
        await shares.take(asked())
    await shares.take(asked(province="nam-song"))
    held[0].leave()
    held[0].leave()
    await shares.take(asked())
    with pytest.raises(ProvinceOverShare):
        await shares.take(asked())


async def test_one_person_leaves_places_to_the_others_of_a_province() -> None:
    shares = Shares(per_person=1_000_000, per_province=1_000_000)
    held = [asked() for _ in range(REQUESTS_PER_PERSON_MAX)]
    for exchange in held:
        await shares.take(exchange)
    with pytest.raises(TooManyRequests):
        await shares.take(asked())
    await shares.take(asked("p-bbbbbbbbbb"))
    await shares.take(asked(province="nam-song"))
    held[0].leave()
    await shares.take(asked())


async def test_a_province_that_waits_for_its_own_places_is_in_no_others_way() -> None:
    places, one, other = Places(of_all=3, of_province=2), ProvinceId(uuid4()), ProvinceId(uuid4())
    async with places.taken(one), places.taken(one):
        waiting = asyncio.create_task(_took(places, one))
        await asyncio.sleep(0)
        await _took(places, other)
        assert not waiting.done()
    await waiting


async def test_who_waits_too_long_for_a_place_is_refused_and_takes_none() -> None:
    places, one = Places(of_all=2, of_province=1, wait_max_s=0.01), ProvinceId(uuid4())
    async with places.taken(one):
        with pytest.raises(ProvinceOverShare):
            await _took(places, one)
    await _took(places, one)


async def _took(places: Places, province: ProvinceId) -> None:
    async with places.taken(province):
        await asyncio.sleep(0)


async def test_over_http_one_caller_is_refused_and_another_is_not(tmp_path: Path) -> None:
    service = little_service(tmp_path, requests_per_person=1)
    async with calling(service) as client:
        answers = await asyncio.gather(*(client.get(NOTES) for _ in range(5)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 3
    assert refused[0].json()["code"] == "too-many-requests"
    assert int(refused[0].headers["retry-after"]) >= 1
    assert all(answer.status_code == 200 for answer in answers if answer not in refused)
