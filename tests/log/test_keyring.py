"""Personal keys lie wrapped by a key of their province, which is wrapped by the master key, which is elsewhere."""

import base64
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from emulation_saas.log.key_files import KeyExposedError
from emulation_saas.log.keyring import rewrap
from emulation_saas.log.master_key import MasterKey, MasterKeyError, make_master_key, read_master_key
from emulation_saas.postgres.database import open_database
from tests.database import superuser
from tests.log.test_sealing import NAME, dump, name_of, registered
from tests.logs import MASTER_KEY, Opened, open_province, running_logs

OTHER: Final = MasterKey(bytes(32))
KEYS: Final = "SELECT person, version, key FROM sealing.subject_keys ORDER BY person"


async def clear_keys(server: Any, url: str) -> list[bytes]:  # noqa: ANN401 - the fixture
    """Return the personal keys as somebody with the master key finds them."""
    async with superuser(server, name_of(url)) as connection:
        of_province = await connection.fetchval("SELECT wrapped FROM sealing.province_keys")
        rows = await connection.fetch(KEYS)
    return [aes_key_unwrap(aes_key_unwrap(MASTER_KEY, of_province), row["key"]) for row in rows]


async def test_no_table_holds_a_key_in_the_clear(server: Any, database_url: str) -> None:  # noqa: ANN401 - the fixture
    async with running_logs(database_url) as logs:
        await open_province(logs)
    (key,) = await clear_keys(server, database_url)
    tables = await dump(server, database_url)
    assert [table for table, content in tables.items() if key in content or MASTER_KEY in content] == []


async def test_key_from_before_there_were_province_keys_is_wrapped_when_it_is_read(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
) -> None:
    async with running_logs(database_url) as logs:
        admin = (await open_province(logs)).admin
    (key,) = await clear_keys(server, database_url)
    async with superuser(server, name_of(database_url)) as connection:
        await connection.execute("UPDATE sealing.subject_keys SET key = $1", key)
        await connection.execute("DELETE FROM sealing.province_keys")
    async with running_logs(database_url) as logs:
        log = await logs.find("bac-song")
        assert log is not None
        assert (await registered(Opened(log, admin))).name == NAME
        assert await clear_keys(server, database_url) == [key]
        assert len(await log.kids_of(admin)) == 1


async def test_wrong_master_key_stops_a_process_before_it_begins(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_logs(database_url) as logs:
        await open_province(logs)
    monkeypatch.setattr("tests.logs.MASTER_KEY", bytes(32))
    with pytest.raises(MasterKeyError, match="put the right file back"):
        async with running_logs(database_url):
            raise AssertionError


async def test_rewrapping_changes_province_keys_only_and_may_be_interrupted(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running_logs(database_url) as logs:
        await open_province(logs)
        admin = (await open_province(logs, "nam-song")).admin
    async with superuser(server, name_of(database_url)) as connection:
        before = await connection.fetch(KEYS)
    old = MasterKey(MASTER_KEY)
    async with open_database(database_url) as database:
        assert await rewrap(database, old, OTHER) == 2
        assert await rewrap(database, old, OTHER) == 0, "the second run of one that was interrupted"
        with pytest.raises(MasterKeyError):
            await rewrap(database, old, old)
    async with superuser(server, name_of(database_url)) as connection:
        assert await connection.fetch(KEYS) == before
    monkeypatch.setattr("tests.logs.MASTER_KEY", bytes(32))
    async with running_logs(database_url) as logs:
        log = await logs.find("nam-song")
        assert log is not None
        assert (await registered(Opened(log, admin))).name == NAME


async def test_derived_key_is_the_provinces_own_for_one_purpose_and_lies_nowhere(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
) -> None:
    async with running_logs(database_url) as logs:
        here, there = (await open_province(logs)).log, (await open_province(logs, "khac")).log
        keys = {await log.derived_key(purpose) for log in (here, there) for purpose in ("a", "b")}
        assert len(keys) == 4
        derived = await here.derived_key("a")
    async with running_logs(database_url) as logs:
        again = await logs.find("bac-song")
        assert again is not None
        assert await again.derived_key("a") == derived
    tables = await dump(server, database_url)
    assert [table for table, content in tables.items() if derived in content] == []


def test_master_key_is_made_once_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    make_master_key(path)
    text = path.read_bytes()
    assert (path.stat().st_mode & 0o777, len(base64.b64decode(text))) == (0o600, 32)
    make_master_key(path)
    assert path.read_bytes() == text
    read_master_key(path)


@pytest.mark.parametrize("text", [b"", b"AAAA", b"not base64!", base64.b64encode(bytes(33)), bytes(range(200, 232))])
def test_file_that_holds_no_master_key_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "master.key"
    path.touch(mode=0o600)
    path.write_bytes(text)
    with pytest.raises(MasterKeyError, match="32 random bytes in base64"):
        read_master_key(path)


def test_missing_or_exposed_master_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    with pytest.raises(MasterKeyError, match="cannot be read"):
        read_master_key(path)
    make_master_key(path)
    path.chmod(0o640)
    with pytest.raises(KeyExposedError, match="chmod 600"):
        read_master_key(path)
