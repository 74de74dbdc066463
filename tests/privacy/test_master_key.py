"""The service starts with the master key of its database and with no other, and says what is wrong."""

import asyncio
import base64
from pathlib import Path

import pytest

from emulation_saas.__main__ import main
from emulation_saas.log.key_files import KeyExposedError
from emulation_saas.log.master_key import MasterKeyError, make_master_key
from emulation_saas.serving import MASTER_KEY, settle_master_key, worker_environment
from emulation_saas.settings import Settings
from tests.logs import keep_master_key, open_province, running_logs


async def opened(url: str) -> None:
    """Open a province, so that the database holds keys that the tests' master key wrapped."""
    async with running_logs(url) as logs:
        await open_province(logs)


async def test_embedded_mode_makes_its_key_once_and_tells_its_workers(database_url: str, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    await settle_master_key(settings, database_url)
    key = (tmp_path / MASTER_KEY).read_bytes()
    await settle_master_key(settings, database_url)
    assert (tmp_path / MASTER_KEY).read_bytes() == key
    told = worker_environment(settings, url=database_url, local=True)
    assert told["EMULATION_MASTER_KEY"] == str(tmp_path / MASTER_KEY)


async def test_key_that_is_gone_is_asked_for_and_not_made_anew(database_url: str, tmp_path: Path) -> None:
    await opened(database_url)
    with pytest.raises(MasterKeyError, match="is gone, and the keys of personal data"):
        await settle_master_key(Settings(data=tmp_path), database_url)
    assert not (tmp_path / MASTER_KEY).exists()
    keep_master_key(tmp_path)
    await settle_master_key(Settings(data=tmp_path), database_url)


async def test_another_databases_key_is_refused(database_url: str, tmp_path: Path) -> None:
    await opened(database_url)
    make_master_key(tmp_path / "other.key")
    settings = Settings(database_url=database_url, master_key=tmp_path / "other.key")
    with pytest.raises(MasterKeyError, match="not the one that wrapped"):
        await settle_master_key(settings, database_url)


async def test_key_that_others_may_read_is_refused(database_url: str, tmp_path: Path) -> None:
    path = keep_master_key(tmp_path)
    path.chmod(0o644)
    with pytest.raises(KeyExposedError):
        await settle_master_key(Settings(master_key=path), database_url)


def test_service_does_not_start_without_the_key_of_its_database(
    database_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("EMULATION_MASTER_KEY", "EMULATION_DATA"):
        monkeypatch.delenv(name, raising=False)
    assert main(["serve", "--database-url", database_url, "--port", "0", "--data", str(tmp_path)]) == 78
    said = capfd.readouterr().err
    assert "EMULATION_MASTER_KEY must name the file" in said
    assert "Traceback" not in said
    missing = ["--master-key", str(tmp_path / "none.key")]
    assert main(["serve", "--database-url", database_url, "--port", "0", *missing]) == 78
    assert "the master key cannot be read" in capfd.readouterr().err


def test_rebuild_does_not_begin_without_the_key(
    database_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["rebuild", "bac-song", "roster", "--database-url", database_url]
    assert main([*command, "--master-key", str(tmp_path / "none.key")]) == 78
    assert "the master key cannot be read" in capfd.readouterr().err


async def test_rewrap_moves_a_database_to_a_new_key(
    database_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await opened(database_url)
    old, new = keep_master_key(tmp_path), tmp_path / "new.key"
    make_master_key(new)
    command = ["rewrap", "--database-url", database_url, "--master-key", str(old), "--new-master-key", str(new)]
    assert await asyncio.to_thread(main, command) == 0  # it has an event loop of its own
    assert "1 province keys are wrapped by" in capfd.readouterr().out
    await settle_master_key(Settings(database_url=database_url, master_key=new), database_url)
    with pytest.raises(MasterKeyError):
        await settle_master_key(Settings(database_url=database_url, master_key=old), database_url)
    assert len(base64.b64decode(new.read_bytes())) == 32
