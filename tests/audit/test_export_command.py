"""`emulation-saas export`: from a database that runs or not, and from a service; whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulation_saas.__main__ import main
from tests.audit.auditing import serving
from tests.audit.test_export import demand_whole, files_of
from tests.logs import open_province, running_logs
from tests.serving import Served, served


def export(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EMULATION_")}
    command = [sys.executable, "-m", "emulation_saas", "export", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def token_of(service: Served, sub: str) -> str:
    return service.token(sub)["authorization"].removeprefix("Bearer ")


def test_a_log_is_exported_whether_or_not_its_service_runs(place: Path, tmp_path: Path) -> None:
    with served(place, workers=1) as service:
        service.open_province("bac-song")
        running = export("bac-song", "--data", service.data, "--out", tmp_path / "running.tar")
        assert running.returncode == 0, running.stderr
        (place / "token").write_text(token_of(service, "admin@bac-song") + "\n", encoding="ascii")
        asked = ("--url", service.url, "--token", f"@{place / 'token'}")
        over_http = export("bac-song", "--out", tmp_path / "http.tar", *asked)
        assert over_http.returncode == 0, over_http.stderr
        refused = export("nam-song", "--out", tmp_path / "none.tar", *asked)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "no-such-province" in refused.stderr
        stranger = export("bac-song", "--out", tmp_path / "none.tar", "--url", service.url, "--token", "x")
        assert (stranger.returncode, "unknown-caller" in stranger.stderr) == (1, True)
        url = service.url
    unread = export("bac-song", "--out", tmp_path / "none.tar", "--url", url, "--token", f"@{place / 'none'}")
    assert (unread.returncode, "none" in unread.stderr) == (1, True)
    gone = export("bac-song", "--out", tmp_path / "none.tar", "--url", url, "--token", "x")
    assert (gone.returncode, url in gone.stderr) == (1, True)
    stopped = export("bac-song", "--data", place / "data", "--out", tmp_path / "stopped.tar")
    assert stopped.returncode == 0, stopped.stderr
    assert names_in(tmp_path) == ["http.tar", "running.tar", "stopped.tar"]
    bytes_of = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(set(bytes_of.values())) == 1
    assert demand_whole(files_of(bytes_of["running.tar"])) == 5


async def test_a_span_of_a_database_is_exported(database_url: str, tmp_path: Path) -> None:
    async with running_logs(database_url) as logs:
        await open_province(logs)
    out = tmp_path / "log.tar"
    out.write_bytes(b"an older one")
    done = export("bac-song", "--database-url", database_url, "--out", out, "--from", "2", "--to", "4")
    assert done.returncode == 0, done.stderr
    assert demand_whole(files_of(out.read_bytes())) == 4
    for wrong, code in [
        (("nam-song",), 1),
        (("bac-song", "--to", "9"), 1),
        (("bac-song", "--from", "4", "--to", "3"), 1),
        (("bac-song", "--from", "0"), 2),
        (("bac-song", "--token", "x"), 2),
    ]:
        failed = export(*wrong, "--database-url", database_url, "--out", tmp_path / "none.tar")
        assert failed.returncode == code, (wrong, failed.stderr)
        assert failed.stderr
    assert names_in(tmp_path) == ["log.tar"]


def test_no_database_is_made_for_an_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["export", "bac-song", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "log.tar")]
    assert main(arguments) == 1
    assert "there is no database in" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


async def test_what_breaks_off_leaves_the_older_file(database_url: str, tmp_path: Path) -> None:
    out = tmp_path / "log.tar"
    out.write_bytes(b"an older one")
    async with serving(database_url, tmp_path, filled=False) as service:
        assert (await service.log.head()).position == 5
    failed = export("bac-song", "--database-url", database_url, "--out", out, "--to", "6")
    assert (failed.returncode, out.read_bytes()) == (1, b"an older one")
