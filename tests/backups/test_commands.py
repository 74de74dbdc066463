"""`emulation-saas backup`, `restore` and `compare`, as an operator runs them on the embedded database."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulation_saas.__main__ import main
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import ProvinceLogs
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.serving import prepare
from tests.backups.streaming import streamed
from tests.logs import keep_master_key, open_province, register, running_logs
from tests.postgres.processes import wait_until


@dataclass
class Place:
    """A data directory with a province in it, and room for its backups."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def data(self) -> Path:
        return self.root / "data"

    def ask(self, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
        """Run a command and return what it prints for a machine."""
        self.capsys.readouterr()
        ended = main([*map(str, arguments), "--json"])
        said = self.capsys.readouterr()
        assert ended == code, said.err
        answer: dict[str, Any] = json.loads(said.out)
        return answer

    def refused(self, *arguments: str | Path, code: int = 1) -> str:
        """Run a command that fails and return the line that says why."""
        self.capsys.readouterr()
        assert main([*map(str, arguments)]) == code
        said = self.capsys.readouterr()
        assert said.out == ""
        return said.err

    def register(self, *agencies: str) -> int:
        """Record events; return the last position."""

        async def record(logs: ProvinceLogs) -> int:
            log = await logs.find("bac-song")
            admin = (await open_province(logs)).admin if log is None else None
            log = await logs.find("bac-song")
            assert log is not None
            admin = admin or (await log.recorded(after=3, through=4))[0].event.person
            for agency in agencies:
                await log.execute(register(agency), by=Acting(admin))
            return (await log.head()).position

        return self.with_logs(record)

    def with_logs(self, work: Callable[[ProvinceLogs], Coroutine[Any, Any, int]]) -> int:
        async def run(url: str) -> int:
            await prepare(url, lambda _: None)
            async with running_logs(url) as logs:
                return await work(logs)

        embedded = EmbeddedPostgres(self.data, report=lambda _: None)
        if not self.data.exists():
            embedded.start()
        with embedded.at_hand() as url:
            return asyncio.run(run(url))


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Place:
    monkeypatch.setenv("EMULATION_DATA", str(place / "data"))
    monkeypatch.setenv("EMULATION_BACKUPS", str(place / "backups"))
    return Place(place, capsys)


def test_what_was_backed_up_comes_back_and_is_compared_and_what_was_not_is_told(here: Place, place: Path) -> None:
    key = keep_master_key(place)
    other_key = place / "other.key"
    other_key.write_text("A" * 43 + "=", encoding="ascii")
    other_key.chmod(0o600)

    assert here.register("so-1") == 6
    embedded = EmbeddedPostgres(here.data, report=lambda _: None)
    with embedded.at_hand():  # so that it is not started for each command anew
        full = here.ask("backup", "take")
        assert (full["kind"], full["removed"]) == ("full", [])
        assert here.register("so-2") == 7
        incremental = here.ask("backup", "take")
        assert (incremental["kind"], incremental["size_bytes"] < full["size_bytes"]) == ("incremental", True)
        listed = {"chains": [[full["name"], incremental["name"]]], "log": []}
        assert here.ask("backup", "list") == listed
        assert here.ask("backup", "verify") == {**listed, "verified": listed["chains"][0], "wrong": {}}
        assert here.register("so-3", "so-4") == 9

        restored = here.ask("restore", "--to", place / "again", "--master-key", key)
        assert (restored["backup"], restored["heads"]) == (incremental["name"], {"bac-song": 7})
        assert (place / "again" / "master.key").read_bytes() == key.read_bytes()
        compared = here.ask("compare", "bac-song", "--with", place / "again")
        assert (compared["compared_to"], compared["differs_at"], compared["live_head"]) == (7, None, 9)
        assert here.ask("compare", "bac-song", "--with", place / "again", "--to", "5")["compared_to"] == 5
        assert "is not in both" in here.refused("compare", "bac-song", "--with", place / "again", "--to", "8")
        assert "no province nam-song" in here.refused("compare", "nam-song", "--with", place / "again")
        exported = ["export", "bac-song", "--data", place / "again", "--to", "6", "--out", place / "log.tar"]
        assert main([*map(str, exported)]) == 0
        assert main(["verify", "export", str(place / "log.tar")]) in {0, 2}

        later = Place(place / "fork", here.capsys)
        (place / "fork").mkdir()
        (place / "again").rename(later.data)
        assert later.register("so-khac") == 8
        compared = here.ask("compare", "bac-song", "--with", later.data, code=1)
        assert (compared["compared_to"], compared["differs_at"], compared["root"]) == (8, 8, None)

    assert "exists" in here.refused("restore", "--to", here.data)
    wrong = here.refused("restore", "--to", place / "keyless", "--master-key", other_key, code=78)
    assert "not the one that wrapped" in wrong
    assert "all else is restored" in wrong
    assert (place / "keyless" / "pg" / "PG_VERSION").exists()
    assert not (place / "keyless" / "master.key").exists()
    assert "there is no backup in" in here.refused("restore", "--to", place / "old", "--until", "2020-01-01T00:00:00Z")
    damage(place / "backups" / full["name"] / "base")
    for command in (("backup", "verify"), ("restore", "--to", place / "damaged")):
        assert f"{full['name']} is damaged" in here.refused(*command)
    found = here.ask("backup", "verify", code=1)
    assert (found["verified"], list(found["wrong"])) == ([incremental["name"]], [full["name"]])
    assert f"{full['name']} is damaged" in found["wrong"][full["name"]]
    (place / "backups" / incremental["name"] / "PG_VERSION").write_text("17\n", encoding="ascii")
    assert "is of PostgreSQL 17, and the server here is 18" in here.refused("restore", "--to", place / "older")
    assert sorted(path.name for path in place.iterdir() if "restoring" in path.name) == []
    assert not (place / "damaged").exists()


def test_what_was_typed_wrong_is_said_before_anything_is_restored(here: Place, place: Path) -> None:
    exposed, none = place / "exposed.key", place / "none.key"
    exposed.write_bytes(keep_master_key(place).read_bytes())
    exposed.chmod(0o644)
    damaged = place / "damaged"
    damaged.mkdir()
    (damaged / "bac-song.checkpoint").write_text("log.test/bac-song\n", encoding="utf-8")
    for wrong, says in {
        ("--master-key", exposed): "must be readable by its owner only (chmod 600)",
        ("--master-key", none): "the master key cannot be read",
        ("--witness", place / "mistyped"): "mistyped cannot be read: [Errno 2] No such file or directory",
        ("--witness", damaged): f"{damaged} cannot be read: {damaged / 'bac-song.checkpoint'} holds no checkpoint",
    }.items():
        said = here.refused("restore", "--to", place / "again", *wrong, code=78)
        assert says in said
        assert said.count("\n") == 1
    assert "there is no directory" in here.refused("restore", "--to", place / "again", "--witness", place)


def damage(directory: Path) -> None:
    """Change one byte of a file, as a disk does."""
    victim = max((path for path in directory.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)


def test_a_stream_goes_on_after_what_breaks_it_and_is_replayed_as_far_as_one_wants(here: Place, place: Path) -> None:
    with streamed(here.data, place / "backups", place / "stream.log") as stream:
        wait_until(lambda: "there is no database in" in stream.output(), seconds=45)
        assert here.register("so-1") == 6
        embedded = EmbeddedPostgres(here.data, report=lambda _: None)
        embedded.start()
        stream.wait_until_streaming()
        here.ask("backup", "take")
        assert "another process streams into" in here.refused("backup", "stream")
        here.register("so-2")
        embedded.kill()
        wait_until(lambda: "the stream broke off" in stream.output())
        embedded.start()
        wait_until(lambda: stream.output().count("streaming into") == 2)
        wait_until(lambda: stream.receiver() is not None)
        here.register("so-3")
        time.sleep(0.01)
        until = utc_now()
        time.sleep(0.01)
        assert here.register("so-4", "so-5") == 10
        embedded.stop()
        assert stream.stop() == 0
    restored = here.ask("restore", "--to", place / "then", "--until", until.isoformat())
    assert restored["heads"] == {"bac-song": 8}
    assert here.ask("restore", "--to", place / "now")["heads"] == {"bac-song": 10}
    said = here.refused("restore", "--to", place / "later", "--until", "2199-01-01T00:00:00+07:00")
    assert "recovery ended before configured recovery target was reached" in said
    assert not (place / "later").exists()
    (place / "backups" / "server").write_text("1\n", encoding="ascii")
    assert "holds the backups of server 1" in here.refused("backup", "take")


def test_a_command_that_says_too_little_is_refused(here: Place, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMULATION_BACKUPS")
    assert "say where the backups are" in here.refused("backup", "list", code=78)
    for action in (("backup", "verify"), ("backup", "list"), ("restore", "--to", place / "x")):
        assert "there is no directory" in here.refused(*action, "--backups", place / "none")
    assert "there is no backup" in here.refused("backup", "verify", "--backups", place)
    assert "there is no database in" in here.refused("backup", "take", "--backups", place / "b")
    for wrong in (
        ("restore", "--to", "x", "--until", "2026-11-26T02:15:00"),
        ("restore", "--to", "x", "--until", "today"),
        ("backup", "take", "--keep", "0"),
        ("backup", "take", "--days", "0"),
        ("backup",),
    ):
        with pytest.raises(SystemExit) as ended:
            main(list(wrong))
        assert ended.value.code == 2
    assert sorted(place.iterdir()) == []
