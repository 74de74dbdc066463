"""The log's next key: who may make it sign, and which checkpoints it signs."""

import asyncio
from datetime import timedelta
from pathlib import Path

from emulation_saas.audit.notes import OVERLAP, vkeys_at
from emulation_saas.audit.use_cases import (
    KEYS_OVERLAPPING_MAX,
    LogKeyOutOfOrder,
    LogKeysOverlap,
    LogKeyTaken,
    RotateLogKey,
)
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.log.events import LogKeyRotated, LogOpened
from tests.audit.auditing import HERE, Service, serving
from tests.audit.test_log_routes import read_note
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOW, given

opened = LogOpened(format="emulation-log.v1", origin="log.test", vkey="log.test+1+AA==")
KEYS = f"{HERE}/log/keys"


def rotated(number: int) -> LogKeyRotated:
    return LogKeyRotated(vkey=f"log.test+{number}+AA==")


def rotation(number: int, vkey: int | None = None, retired: int = 0) -> RotateLogKey:
    return RotateLogKey(number=number, vkey=rotated(number if vkey is None else vkey).vkey, retired=retired)


def test_the_next_key_signs() -> None:
    given(opened).when(rotation(2), may=ADMIN).then(rotated(2))
    given(opened, rotated(2)).when(rotation(3), may=ADMIN).then(rotated(3))


def test_a_key_that_the_log_has_is_not_made_again() -> None:
    given(opened, rotated(2)).when(rotation(2, vkey=9), may=ADMIN).then_recorded_nothing()
    given(opened).when(rotation(1), may=ADMIN).then_recorded_nothing()


def test_no_key_is_left_out() -> None:
    given(opened).when(rotation(3), may=ADMIN).then_rejected(LogKeyOutOfOrder)


def test_a_key_that_the_log_names_is_never_its_next_one() -> None:
    given(opened, rotated(2)).when(rotation(3, vkey=2), may=ADMIN).then_rejected(LogKeyTaken)


def test_no_more_than_a_few_keys_sign_at_once() -> None:
    keys = [opened, *(rotated(number) for number in range(2, KEYS_OVERLAPPING_MAX + 1))]
    following = KEYS_OVERLAPPING_MAX + 1
    given(*keys).when(rotation(following), may=ADMIN).then_rejected(LogKeysOverlap)
    given(*keys).when(rotation(following - 1, vkey=9), may=ADMIN).then_recorded_nothing()
    given(*keys).when(rotation(following, retired=1), may=ADMIN).then(rotated(following))


def test_only_administrators_rotate() -> None:
    for may in (AUDITOR, COUNCIL):
        given(opened).when(rotation(2), may=may).then_rejected(NotEmpowered)


def test_a_replaced_key_signs_for_thirty_days_more() -> None:
    history = [("a", NOW), ("b", NOW + timedelta(days=100)), ("c", NOW + timedelta(days=110))]
    assert vkeys_at(history[:1], NOW + timedelta(days=999)) == ["a"]
    assert vkeys_at(history, NOW + timedelta(days=110)) == ["c", "b", "a"]
    assert vkeys_at(history, NOW + timedelta(days=130)) == ["c", "b"]
    assert vkeys_at(history, NOW + timedelta(days=140) - timedelta(microseconds=1)) == ["c", "b"]
    assert vkeys_at(history, NOW + timedelta(days=140)) == ["c"]


async def rotate(service: Service, number: int, role: str | None = None) -> int:
    headers = {} if role is None else service.by(role)
    answer = await service.client.post(KEYS, json={"number": number}, headers=headers)
    return answer.status_code


async def keys_held(service: Service) -> int:
    async with service.database.in_province_keys(service.log.province) as connection:
        held: int = await connection.fetchval("SELECT count(*) FROM sealing.log_keys")
        return held


async def test_rotation_over_http_is_idempotent_and_makes_no_key_in_vain(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        assert await rotate(service, 2, "auditor") == 403
        assert await rotate(service, 2, "integrator") == 403
        assert await keys_held(service) == 1
        assert await rotate(service, 9) == 409  # the key made for it is the next one to be used
        assert await keys_held(service) == 2
        assert [await rotate(service, 2), await rotate(service, 2)] == [201, 201]
        assert (await service.log.head()).position == head + 1
        assert await keys_held(service) <= 3
        vkeys = (await service.get("/log/vkey")).text.splitlines()
        assert len(vkeys) == len(set(vkeys)) == 2
        assert vkeys[0].partition("+")[0] == vkeys[1].partition("+")[0], "the name is the log's origin"
        told = await service.get(f"/events/{head + 1}", "integrator")
        assert told.json()["data"] == {"vkey": vkeys[1]}
        for body in ({"number": 0}, {}, {"number": "2"}, {"number": 2, "vkey": vkeys[0]}):
            assert (await service.client.post(KEYS, json=body)).status_code == 422


async def test_rotations_asked_for_at_once_take_a_key_each_and_end_before_too_many_sign(
    database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        assert set(await asyncio.gather(*(rotate(service, number) for number in (2, 2, 3, 3, 4)))) <= {201, 409}
        vkeys = (await service.get("/log/vkey")).text.splitlines()
        assert len(vkeys) == len(set(vkeys))
        for number in range(len(vkeys) + 1, KEYS_OVERLAPPING_MAX + 1):
            assert await rotate(service, number) == 201
        refused = await service.client.post(KEYS, json={"number": KEYS_OVERLAPPING_MAX + 1})
        assert (refused.status_code, refused.json()["code"]) == (409, "log-keys-overlap")
        signatures = (await service.get("/log/checkpoint")).text.partition("\n\n")[2].splitlines()
        assert len(signatures) == KEYS_OVERLAPPING_MAX


async def test_checkpoints_are_signed_by_the_keys_of_their_time(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        opened_at = (await service.log.head()).position
        assert await rotate(service, 2) == 201
        rotated_at = (await service.log.head()).position
        old, new = (await service.get("/log/vkey")).text.splitlines()
        before = (await service.get(f"/log/checkpoints/{opened_at}")).text
        after = (await service.get("/log/checkpoint")).text
    assert read_note(before, old) == (opened_at, read_note(before, old)[1], 1)
    assert read_note(after, f"{new}\n{old}")[::2] == (rotated_at, 2)


def test_the_overlap_is_what_is_promised() -> None:
    assert timedelta(days=30) == OVERLAP
