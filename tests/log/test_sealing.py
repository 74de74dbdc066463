"""Personal fields stand in the log as ciphertext only, bound to their place, and are gone with their key."""

import base64
import io
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from emulation_saas.access.events import PersonRegistered
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.log import keyring
from emulation_saas.log.frontier import leaf_hash
from emulation_saas.log.sealing import Opener, derive, kids_in, persons_in, read_bytes, spell_bytes
from emulation_saas.log.shapes import shape_of
from emulation_saas.meetings.events import MeetingHeld
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.server import APP_ROLE, HEADS_ROLE, KEYS_ROLE
from tests.builders import PERSON, SAMPLES
from tests.database import connected, superuser
from tests.log.test_frontier import root_of
from tests.logs import MASTER_KEY, Opened, open_province, running_logs

NAME: Final = "Nguyễn Thị Quản Trị"
"""As `open_province` registers its first administrator."""
PROVINCE: Final = ProvinceId(UUID("0190c3f2-0000-7000-8000-000000000001"))
KEY: Final = bytes(range(32))
OTHER_KEY: Final = bytes(range(1, 33))


def name_of(url: str) -> str:
    """Return the database's name."""
    return url.partition("?")[0].rpartition("/")[2]


def opener_of(key: bytes, *, province: ProvinceId = PROVINCE) -> Opener:
    """Return an opener that holds one person's key."""
    encryption, kid = derive(key)
    return Opener(province, {(PERSON, 1): (encryption, kid)}, {kid: encryption})


def hkdf(key: bytes, info: bytes) -> bytes:
    """Return 32 bytes as RFC 5869 derives them without a salt, written out."""
    extract = HMAC(bytes(32), SHA256())
    extract.update(key)
    expand = HMAC(extract.finalize(), SHA256())
    expand.update(info + b"\x01")
    return expand.finalize()


def meeting_data() -> dict[str, Any]:
    """Return an event's data with a personal name inside a list."""
    data: dict[str, Any] = msgspec.to_builtins(SAMPLES[MeetingHeld])
    return data


async def dump(server: EmbeddedPostgres, url: str) -> dict[str, bytes]:
    """Return the content of every table of the database, as bytes."""
    async with superuser(server, name_of(url)) as connection:
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'sealing')"
        )
        found: dict[str, bytes] = {}
        for schema, table in tables:
            content = io.BytesIO()
            await connection.copy_from_table(table, schema_name=schema, output=content, format="binary")
            found[f"{schema}.{table}"] = content.getvalue()
    return found


async def registered(province: Opened) -> PersonRegistered:
    """Return how the administrator stands in the log."""
    (recorded,) = await province.log.recorded([Selector(types=[PersonRegistered])])
    event: PersonRegistered = recorded.event
    return event


async def test_no_table_holds_the_plaintext(server: EmbeddedPostgres, database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        assert (await registered(province)).name == NAME
    tables = await dump(server, database_url)
    assert len(tables) > 5
    assert "Tỉnh Bắc Sông".encode() in tables["public.events"], "what is not personal is found this way"
    for plaintext in (NAME, "admin@bac-song"):
        spellings = (
            plaintext.encode(),
            base64.b64encode(plaintext.encode()).rstrip(b"="),
            plaintext.encode("utf-16-le"),
        )
        assert [name for name, content in tables.items() if any(each in content for each in spellings)] == []


async def test_bytes_are_hashed_as_sealed_and_opened_by_the_documented_steps(
    server: EmbeddedPostgres, database_url: str
) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        stored = next(each for each in (await province.log.read())[0] if each.event.type == PersonRegistered.type)
    async with superuser(server, name_of(database_url)) as connection:
        wrapped = await connection.fetchval("SELECT key FROM sealing.subject_keys")
        of_province = await connection.fetchval("SELECT wrapped FROM sealing.province_keys")
        leaf = await connection.fetchval("SELECT leaf_hash FROM events WHERE position = $1", stored.position)
    key = aes_key_unwrap(aes_key_unwrap(MASTER_KEY, of_province), wrapped)
    assert leaf_hash(stored.event.data) == leaf
    sealed = msgspec.json.decode(stored.event.data)["data"]["name"]
    assert sealed.keys() == {"$enc", "c", "kid", "n"}
    assert (sealed["$enc"], len(read_bytes(sealed["n"]))) == ("A256GCM", 12)
    assert sealed["kid"] == spell_bytes(hkdf(key, b"td/kid"))
    bound = f"{province.log.province}|{stored.position}|/data/name|{sealed['kid']}".encode()
    opened = AESGCM(hkdf(key, b"td/enc")).decrypt(read_bytes(sealed["n"]), read_bytes(sealed["c"]), bound)
    assert opened == f'"{NAME}"'.encode()


async def test_destroyed_key_leaves_none_and_the_same_bytes_and_root(
    server: EmbeddedPostgres, database_url: str
) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        before, head = await province.log.read(), await province.log.head()
    async with superuser(server, name_of(database_url)) as connection:
        assert await connection.execute("DELETE FROM sealing.subject_keys") == "DELETE 1"
    async with running_logs(database_url) as logs:
        log = await logs.find("bac-song")
        assert log is not None
        assert await log.read() == before
        assert await log.head() == head
        assert root_of([leaf_hash(event.event.data) for event in before[0]]) == head.root
        gone = await registered(Opened(log, province.admin))
        assert gone == PersonRegistered(person=province.admin, issuer=None, sub=None, name=None)


async def test_destroyed_key_opens_nothing_once_the_keyring_is_read_again(
    server: EmbeddedPostgres, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        assert (await registered(province)).name == NAME
        async with superuser(server, name_of(database_url)) as connection:
            await connection.execute("DELETE FROM sealing.subject_keys")
        assert (await registered(province)).name == NAME, "kept for a while"
        monkeypatch.setattr(keyring, "KEYS_KEPT_S", 0.0)
        assert (await registered(province)).name is None


async def test_two_processes_seal_a_person_with_one_key(server: EmbeddedPostgres, database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
    async with superuser(server, name_of(database_url)) as connection:
        keys = await connection.fetch("SELECT person, version FROM sealing.subject_keys")
    assert [tuple(row) for row in keys] == [(province.admin, 1)]


@pytest.mark.parametrize(
    ("role", "table"),
    [
        (KEYS_ROLE, "public.events"),
        (KEYS_ROLE, "public.event_tags"),
        (KEYS_ROLE, "public.log_head"),
        (APP_ROLE, "sealing.subject_keys"),
        (APP_ROLE, "sealing.log_keys"),
        (APP_ROLE, "sealing.province_keys"),
        (KEYS_ROLE, "public.access_log"),
        (HEADS_ROLE, "public.events"),
        (HEADS_ROLE, "sealing.subject_keys"),
    ],
)
async def test_role_cannot_read_what_is_not_its_own(database_url: str, role: str, table: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
    async with connected(database_url, role) as connection:
        await connection.execute(f"SET emulation.province = '{province.log.province}'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT * FROM {table}")


def sealed_meeting() -> dict[str, Any]:
    """Return the meeting's data, sealed at position 7."""
    data = meeting_data()
    opener_of(KEY).seal(data, shape_of(MeetingHeld), position=7)
    return data


def test_sealed_value_opens_at_its_place_with_its_key() -> None:
    data = sealed_meeting()
    assert data != meeting_data()
    opener_of(KEY).open(data, shape_of(MeetingHeld), position=7)
    assert data == meeting_data()


@pytest.mark.parametrize("wrong", ["province", "position", "pointer", "kid", "key", "ciphertext", "nonce"])
def test_sealed_value_opens_nowhere_else(wrong: str) -> None:
    data = sealed_meeting()
    opener, position, pointer = opener_of(KEY), 7, "/data"
    sealed = data["chairs"][0]["name"]
    match wrong:
        case "province":
            opener = opener_of(KEY, province=ProvinceId(UUID(int=1)))
        case "position":
            position = 8
        case "pointer":
            pointer = "/elsewhere"
        case "kid":  # the same key under another name: what was sealed names the key it was sealed with
            encryption, _ = derive(KEY)
            sealed["kid"] = derive(OTHER_KEY)[1]
            opener = Opener(PROVINCE, {}, {sealed["kid"]: encryption})
        case "key":
            opener = opener_of(OTHER_KEY)
        case "ciphertext":
            sealed["c"] = spell_bytes(bytes([read_bytes(sealed["c"])[0] ^ 1]) + read_bytes(sealed["c"])[1:])
        case _:
            sealed["n"] = spell_bytes(bytes(12))
    opener.open(data, shape_of(MeetingHeld), position=position, pointer=pointer)
    assert data["chairs"][0]["name"] is None


def test_value_moved_within_a_list_does_not_open() -> None:
    data = meeting_data()
    data["chairs"].append({**data["chairs"][0], "name": "Trần Văn Phó"})
    opener_of(KEY).seal(data, shape_of(MeetingHeld), position=7)
    first, second = data["chairs"]
    first["name"], second["name"] = second["name"], first["name"]
    opener_of(KEY).open(data, shape_of(MeetingHeld), position=7)
    assert [chair["name"] for chair in data["chairs"]] == [None, None]


def test_key_id_commits_to_the_key() -> None:
    encryption, kid = derive(KEY)
    assert encryption == hkdf(KEY, b"td/enc")
    assert kid == spell_bytes(hkdf(KEY, b"td/kid"))
    assert kid == "_zng3u5eIIWon9ztnog0GiLod5HhIcHZWs2A0QztD1c"
    assert derive(OTHER_KEY)[1] != kid


def test_each_sealing_draws_its_own_nonce() -> None:
    assert len({sealed_meeting()["chairs"][0]["name"]["n"] for _ in range(50)}) == 50


def test_persons_and_keys_are_found_inside_lists() -> None:
    shape = shape_of(MeetingHeld)
    assert persons_in(meeting_data(), shape) == {PERSON}
    assert kids_in(sealed_meeting(), shape) == {derive(KEY)[1]}
    assert opener_of(KEY).knows((PERSON, 1))
    assert not opener_of(KEY).knows((PERSON, 2))


@pytest.mark.parametrize("length", range(6))
def test_bytes_are_spelled_without_padding_and_read_back(length: int) -> None:
    data = bytes(range(250, 250 + length))
    assert "=" not in spell_bytes(data)
    assert read_bytes(spell_bytes(data)) == data
