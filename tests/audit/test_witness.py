"""The witness: a database from before what was signed is noticed, whatever has been recorded in it since."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from emulation_saas.__main__ import main
from emulation_saas.audit.refusals import LogForked, NotWitnessed
from emulation_saas.audit.signing import Signer
from emulation_saas.audit.witness import Witness, behind
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import ProvinceLog
from emulation_saas.postgres.database import Database, open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import drop_database, empty_database
from tests.logs import keep_master_key, logs_of, open_province, register


class Known:
    """A log, its database, and a signer that shows the witness what it signs."""

    def __init__(self, database: Database, log: ProvinceLog, witness: Witness) -> None:
        self.database = database
        self.log = log
        self.signer = Signer(database, witness)

    async def register(self, agency: str) -> int:
        admin = (await self.log.recorded(after=3, through=4))[0].event.person
        return (await self.log.execute(register(agency), by=Acting(admin))).position


@asynccontextmanager
async def known(url: str, witness: Witness) -> AsyncGenerator[Known]:
    async with open_database(url) as database, logs_of(database) as logs:
        log = await logs.find("bac-song") or (await open_province(logs)).log
        yield Known(database, log, witness)


@asynccontextmanager
async def backed_up(server: EmbeddedPostgres, url: str) -> AsyncGenerator[str]:
    """Lend a copy of the whole database as it is now, its keys and signed heads with it."""
    name = url.partition("?")[0].rpartition("/")[2]
    copy = await empty_database(server, f"{name}_copy", template=name)
    yield copy
    await drop_database(server, copy)


async def test_a_database_from_before_what_was_signed_is_neither_signed_nor_served(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    witness = Witness(tmp_path)
    async with known(database_url, witness) as live:
        await live.signer.newest(live.log)
    async with backed_up(server, database_url) as older:
        async with known(database_url, witness) as live:
            for agency in ("so-1", "so-2"):
                await live.register(agency)
            signed = await live.signer.covering(live.log, 7)
            assert witness.seen("bac-song") == signed.note
            assert await behind(live.database, witness) == []
        async with known(older, witness) as restored:
            assert await behind(restored.database, witness) == [
                "bac-song: the log stands at 5, behind 7, which was signed"
            ]
            asked = (restored.signer.newest(restored.log), restored.signer.note(restored.log, 3))
            for ask in (*asked, restored.signer.covering(restored.log, 5)):
                with pytest.raises(LogForked, match="behind 7, which was signed"):
                    await ask
            unaware = Signer(restored.database)  # so the witness it is that notices
            assert (await unaware.newest(restored.log)).size == 5
            for agency in ("so-khac", "so-khac-nua", "so-khac-nua-nua"):
                await restored.register(agency)
            assert await behind(restored.database, witness) == []
            with pytest.raises(LogForked, match="the tree of 7 has another root"):
                await restored.signer.newest(restored.log)
            assert witness.seen("bac-song") == signed.note


async def test_who_signs_elsewhere_is_witnessed_here_and_a_larger_checkpoint_stands(
    database_url: str, tmp_path: Path
) -> None:
    first, second = Witness(tmp_path / "first"), Witness(tmp_path / "second")
    for each in ("first", "second"):
        (tmp_path / each).mkdir()
    async with known(database_url, first) as one, known(database_url, second) as other:
        old = await one.signer.newest(one.log)
        await one.register("so-1")
        new = await one.signer.covering(one.log, old.size + 1)
        assert second.seen("bac-song") is None
        assert await other.signer.covering(other.log, 1) == new
        assert first.seen("bac-song") == second.seen("bac-song") == new.note
    first.remember("bac-song", old.note)
    assert first.seen("bac-song") == new.note
    assert first.sizes() == {"bac-song": new.size}


async def test_a_checkpoint_that_cannot_be_witnessed_is_not_given(database_url: str, tmp_path: Path) -> None:
    async with known(database_url, Witness(tmp_path / "gone")) as live:
        with pytest.raises(NotWitnessed):
            await live.signer.newest(live.log)
        (tmp_path / "gone").mkdir()
        assert (await live.signer.newest(live.log)).size == 5
        kept = tmp_path / "gone" / "bac-song.checkpoint"
        note = kept.read_text(encoding="utf-8")
        for damaged in ("", "log.test/bac-song\n", "log.test/bac-song\nfive\n"):
            kept.write_text(damaged, encoding="utf-8")
            with pytest.raises(NotWitnessed):
                await live.signer.newest(live.log)
        kept.write_text(note, encoding="utf-8")
        assert (await live.signer.newest(live.log)).note == note


def test_no_service_starts_on_a_database_from_before(
    database_url: str, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = place / "witness"
    seen.mkdir()
    (seen / "nam-song.checkpoint").write_text("log.test/nam-song\n812\n=\n\n", encoding="utf-8")
    monkeypatch.setenv("EMULATION_WITNESS", str(seen))
    serving = ["serve", "--database-url", database_url, "--master-key", str(keep_master_key(place)), "--port", "0"]
    assert main(serving) == 78
    said = capsys.readouterr().err
    assert "nam-song: the log stands at 0, behind 812, which was signed" in said
    assert "see deploy/runbooks/restore.md" in said
    (seen / "nam-song.checkpoint").write_text("damaged", encoding="utf-8")
    assert main(serving) == 78
    assert f"the witness {seen} cannot be asked" in capsys.readouterr().err
