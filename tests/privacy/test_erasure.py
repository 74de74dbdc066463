"""Erasing over HTTP: the name is gone everywhere, everything else stays, and a certificate says so."""

from pathlib import Path
from typing import Any, Final

import pytest

from emulation_saas.privacy import upkeep
from emulation_saas.privacy.events import PersonErased
from tests.log.test_sealing import dump
from tests.privacy.living import ERASURE, HERE, NAME, PLEDGE, SIGNER, STANDINGS, Living, alive, pledged, run_sql, signer
from tests.projections.live import eventually

ERASE: Final = f"{HERE}/persons/{SIGNER}/erase"
CERTIFICATE: Final = f"{HERE}/persons/{SIGNER}/erasure"
KEYS: Final = "SELECT version FROM sealing.subject_keys WHERE person = $1 ORDER BY version"
KEEP_KEYS: Final = "REVOKE DELETE ON sealing.subject_keys FROM emulation_keys"
LET_GO: Final = "GRANT DELETE ON sealing.subject_keys TO emulation_keys"


async def versions(server: Any, living: Living, person: str = SIGNER) -> list[int]:  # noqa: ANN401 - the fixture
    """Return the versions of the keys that a person has."""
    return [row["version"] for row in await run_sql(server, living.url, KEYS, person)]


async def test_erased_name_is_null_and_named_and_the_rest_as_it_was(database_url: str, tmp_path: Path) -> None:
    async with pledged(database_url, tmp_path) as living:
        shown = await living.ask(PLEDGE)
        standings = await living.ask(STANDINGS)
        assert shown.json()["signatures"][0]["signed_by"] == signer()
        assert "redacted" not in shown.json()
        said = await living.done(ERASE, ERASURE)
        assert said["events"][0]["type"] == PersonErased.type
        erased = await living.ask(PLEDGE, headers={"if-none-match": shown.headers["etag"]})
        assert erased.status_code == 200, "the tag is another one now"
        assert erased.headers["cache-control"] == "private, no-cache"
        document = erased.json()
        assert document.pop("redacted") == ["/signatures/0/signed_by/name"]
        assert document["signatures"][0]["signed_by"].pop("name") is None
        before = shown.json()
        assert before["signatures"][0]["signed_by"].pop("name") == NAME
        assert document == before
        past = await living.ask(PLEDGE, params={"as_of": shown.headers["log-position"]})
        assert past.json()["redacted"] == ["/signatures/0/signed_by/name"]
        assert (await living.ask(STANDINGS)).content == standings.content


async def test_stored_bytes_and_hashes_stay(server: Any, database_url: str, tmp_path: Path) -> None:  # noqa: ANN401
    stored = "SELECT position, body, leaf_hash FROM events WHERE position <= 11 ORDER BY position"
    async with pledged(database_url, tmp_path) as living:
        before = await run_sql(server, database_url, stored)
        assert len(before) == 11
        await living.done(ERASE, ERASURE)
        assert await run_sql(server, database_url, stored) == before


async def test_certificate_says_who_when_why_and_that_no_key_is_left(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
) -> None:
    async with pledged(database_url, tmp_path) as living:
        assert (await living.ask(CERTIFICATE)).json()["code"] == "not-erased"
        (event,) = (await living.done(ERASE, ERASURE))["events"]
        answer = await living.ask(CERTIFICATE)
        certificate = answer.json()
        (erasure,) = certificate["erasures"]
        assert answer.headers["log-position"] == str(certificate["position"]) == event["id"]
        assert (certificate["person"], certificate["keys_left"]) == (SIGNER, [])
        assert erasure["kids"] == event["data"]["kids"]
        assert (erasure["position"], erasure["erased_by"]) == (int(event["id"]), event["actor"])
        assert erasure["proof"] == f"{HERE}/events/{event['id']}.tlog-proof"
        assert {name: erasure[name] for name in ERASURE} == ERASURE
        assert await versions(server, living) == []
        await living.empower("auditor", "auditor")
        await living.empower("khach", "integrator")
        assert (await living.ask(CERTIFICATE, sub="auditor")).status_code == 200
        assert (await living.ask(CERTIFICATE, sub="khach")).status_code == 403


async def test_erasing_again_or_under_the_same_key_records_nothing_more(database_url: str, tmp_path: Path) -> None:
    async with pledged(database_url, tmp_path) as living:
        first = await living.do(ERASE, ERASURE, key="xoa-1")
        assert (await living.do(ERASE, ERASURE, key="xoa-1")).content == first.content
        assert (await living.do(ERASE, ERASURE)).json()["events"] == []


@pytest.mark.parametrize(
    ("path", "body", "sub", "status", "code"),
    [
        (f"{HERE}/persons/p-khongcoaii/erase", ERASURE, "admin", 404, "no-such-person"),
        (f"{HERE}/persons/khong-phai-ma/erase", ERASURE, "admin", 404, "no-such-person"),
        (f"{HERE}/persons/p-khongcoaii/hold", {"legal_basis": "L", "because": ""}, "admin", 404, "no-such-person"),
        (f"{HERE}/persons/{SIGNER}/hold/lift", {"because": ""}, "admin", 409, "not-on-hold"),
        (ERASE, ERASURE, "auditor", 403, "not-empowered"),
        (ERASE, {}, "admin", 422, "malformed-body"),
    ],
)
async def test_what_cannot_be_done_is_refused(
    database_url: str, tmp_path: Path, path: str, body: dict[str, Any], sub: str, status: int, code: str
) -> None:
    async with pledged(database_url, tmp_path) as living:
        await living.empower("auditor", "auditor")
        refused = await living.do(path, body, sub=sub)
        assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_hold_and_roles_keep_the_name(server: Any, database_url: str, tmp_path: Path) -> None:  # noqa: ANN401
    async with pledged(database_url, tmp_path) as living:
        hold = {"legal_basis": "Luật Lưu trữ", "because": "đang thanh tra"}
        await living.done(f"{HERE}/persons/{SIGNER}/hold", hold)
        refused = await living.do(ERASE, ERASURE)
        assert (refused.status_code, refused.json()["code"]) == (409, "legal-hold")
        auditor = await living.empower("auditor", "auditor")
        refused = await living.do(f"{HERE}/persons/{auditor}/erase", ERASURE)
        assert (refused.status_code, refused.json()["code"]) == (409, "person-still-empowered")
        assert (await versions(server, living), await versions(server, living, auditor)) == ([1], [1])
        await living.done(f"{HERE}/persons/{SIGNER}/hold/lift", {"because": "xong"})
        await living.done(ERASE, ERASURE)
        assert await versions(server, living) == []


async def test_what_is_recorded_since_has_a_key_of_its_own(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
) -> None:
    async with pledged(database_url, tmp_path) as living:
        (first,) = (await living.done(ERASE, ERASURE))["events"]
        meeting = {
            "meeting": "hop-1",
            "held_on": "2023-12-20",
            "place": "phòng họp",
            "chairs": [signer()],
            "attendance": {"members": ["stp"], "others": []},
            "covers_year": 2023,
            "time": "2023-12-20",
        }
        position = (await living.done(f"{HERE}/blocs/tm-1/meetings", meeting))["position"]
        assert await versions(server, living) == [2]
        assert NAME in (await living.ask(f"{HERE}/blocs/tm-1/years/2023?min_position={position}")).text
        assert (await living.ask(PLEDGE)).json()["redacted"] == ["/signatures/0/signed_by/name"]
        (second,) = (await living.done(ERASE, ERASURE))["events"]
        assert set(first["data"]["kids"]).isdisjoint(second["data"]["kids"])
        assert await versions(server, living) == []
        assert NAME not in (await living.ask(f"{HERE}/blocs/tm-1/years/2023")).text
        assert len((await living.ask(CERTIFICATE)).json()["erasures"]) == 2


async def test_interrupted_erasure_is_completed_by_the_next_request(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
) -> None:
    async with pledged(database_url, tmp_path) as living:
        await run_sql(server, database_url, KEEP_KEYS)
        assert (await living.do(ERASE, ERASURE)).status_code == 500
        certificate = (await living.ask(CERTIFICATE)).json()
        assert certificate["keys_left"] == certificate["erasures"][0]["kids"], "it does not say what is not so"
        await run_sql(server, database_url, LET_GO)
        assert (await living.do(ERASE, ERASURE)).json()["events"] == []
        assert (await living.ask(CERTIFICATE)).json()["keys_left"] == []


async def test_interrupted_erasure_is_completed_by_the_service_itself(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
) -> None:
    async with pledged(database_url, tmp_path) as living:
        await run_sql(server, database_url, KEEP_KEYS)
        assert (await living.do(ERASE, ERASURE)).status_code == 500
        assert await versions(server, living) == [1]
    await run_sql(server, database_url, LET_GO)
    async with alive(database_url, tmp_path) as living:

        async def is_gone() -> bool:
            return await versions(server, living) == []

        await eventually(is_gone, "nothing was completed at the start")
    assert upkeep.EVERY_S <= 60


async def test_key_of_an_erased_person_that_still_lies_there_seals_nothing_more(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
) -> None:
    async with pledged(database_url, tmp_path) as living, alive(database_url, tmp_path) as other:
        assert NAME in (await other.ask(PLEDGE)).text, "the other process holds the key"
        await run_sql(server, database_url, KEEP_KEYS)
        assert (await living.do(ERASE, ERASURE)).status_code == 500
        body = {"person": SIGNER, "issuer": "https://id.example", "sub": "dao", "name": NAME}
        await other.done(f"{HERE}/persons", body)
        assert await versions(server, living) == [1, 2]


async def test_no_table_holds_a_name_or_a_key_in_the_clear(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
) -> None:
    async with pledged(database_url, tmp_path) as living:
        assert NAME in (await living.ask(PLEDGE)).text
        tables = await dump(server, database_url)
        assert b"p-signersign" in tables["public.events"], "what is not personal is found this way"
        assert [table for table, content in tables.items() if NAME.encode() in content] == []
        keys = [row["key"] for row in await run_sql(server, database_url, "SELECT key FROM sealing.subject_keys")]
        assert {len(key) for key in keys} == {40}


@pytest.mark.parametrize(
    ("step", "body"),
    [("erase", ERASURE), ("hold", {"legal_basis": "Luật", "because": "x"}), ("hold/lift", {"because": "x"})],
)
async def test_nobody_but_an_administrator_has_keys_looked_up(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
    step: str,
    body: dict[str, str],
) -> None:
    async with pledged(database_url, tmp_path) as living:
        await living.empower("hoi-dong", "council-member")
        await run_sql(server, database_url, "REVOKE SELECT ON sealing.subject_keys FROM emulation_keys")
        answer = await living.do(f"{HERE}/persons/{SIGNER}/{step}", body, sub="hoi-dong")
        assert (answer.status_code, answer.json()["code"]) == (403, "not-empowered")
