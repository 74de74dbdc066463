"""The export: one tar for each role, in which everything fits everything else."""

import base64
import io
import tarfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from emulation_saas.agencies.events import AgencyRegistered
from emulation_saas.audit.exports import Span, exported
from emulation_saas.audit.layout import entries_path, read_place, tile_path
from emulation_saas.kernel.ids import AgencyId
from emulation_saas.log.frontier import Frontier, leaf_hash
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.audit.auditing import OVERSEEING, ROLES, Service, operator_with_all_rights, serving
from tests.audit.test_log_routes import read_note


def files_of(tar: bytes) -> dict[str, bytes]:
    """Return the files of an export in their order; each is an ordinary one."""
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
        members = archive.getmembers()
        assert all(member.isreg() and member.mtime == 0 for member in members)
        return {member.name: _content(archive, member) for member in members}


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None
    return file.read()


def leaves_of(files: dict[str, bytes]) -> list[bytes]:
    """Return the leaf hashes of the exported entries, and demand that they agree with the tiles of level 0."""
    lines = files.get("entries.ndjson")
    leaves = [*_lines(lines)] if lines is not None else [leaf_hash(body) for body in bundled(files)]
    first = msgspec.json.decode(files["export.json"])["from"]
    tiles = b"".join(content for name, content in files.items() if name.startswith("tile/0/"))
    assert tiles[(first - 1) * 32 :] == b"".join(leaves)
    return [tiles[at : at + 32] for at in range(0, len(tiles), 32)]


def _lines(lines: bytes) -> Iterator[bytes]:
    for line in lines.splitlines():
        told: dict[str, Any] = msgspec.json.decode(line)
        if "entry" in told:
            body = base64.b64decode(told["entry"], validate=True)
            assert msgspec.json.decode(body)["id"] == str(told["position"])
            yield leaf_hash(body)
        else:
            yield base64.b64decode(told["leaf_hash"], validate=True)


def bundled(files: dict[str, bytes]) -> Iterator[bytes]:
    """Yield the entries of the bundles."""
    for name, content in files.items():
        rest = io.BytesIO(content if name.startswith("tile/entries/") else b"")
        while prefix := rest.read(2):
            yield rest.read(int.from_bytes(prefix, "big"))


def demand_whole(files: dict[str, bytes]) -> int:
    """Demand that checkpoint, tiles and entries fit each other; return the tree's size."""
    size, root, _ = read_note(files["checkpoint"].decode(), files["vkey"].decode())
    frontier = Frontier()
    for leaf in leaves_of(files):
        frontier.append(leaf)
    assert (frontier.size, frontier.root()) == (size, root)
    about = msgspec.json.decode(files["export.json"])
    assert about["format"] == "emulation-export.v1"
    assert about["origin"] == files["checkpoint"].decode().split("\n")[0] == files["vkey"].decode().split("+")[0]
    assert about["to"] == size
    return size


async def fetched(service: Service, role: str | None = None, **parameters: int) -> dict[str, bytes]:
    answer = await service.get("/log/export", role, **parameters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-tar"
    return files_of(answer.content)


async def grown(service: Service, events: int) -> int:
    """Let the log hold at least so many events."""
    position = (await service.log.head()).position
    number = 0
    while position < events:
        number += 100
        position = await service.tell(*(_registered(number + each) for each in range(min(100, events - position))))
    return position


def _registered(number: int) -> AgencyRegistered:
    agency = AgencyId(f"so-{number}")
    return AgencyRegistered(agency=agency, name=f"Sở {number}", aliases=[], effective_on=date(2020, 1, 1))


async def test_every_role_gets_the_whole_log_and_of_entries_what_it_may_see(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        for role in ROLES:
            files = await fetched(service, role)
            assert demand_whole(files) == head
            assert list(files)[:4] == ["checkpoint", "vkey", "export.json", f"tile/0/000.p/{head}"]
            if role in OVERSEEING:
                assert list(files)[4:] == [f"tile/entries/000.p/{head}"]
                continue
            assert list(files)[4:] == ["entries.ndjson"]
            lines = [msgspec.json.decode(line) for line in files["entries.ndjson"].splitlines()]
            assert [line["position"] for line in lines] == list(range(1, head + 1))
            for line in lines:
                told = await service.get(f"/events/{line['position']}", role)
                shown = base64.b64decode(line.get("entry", ""))
                assert line.keys() == ({"position", "entry"} if shown else {"position", "leaf_hash"})
                assert told.content == shown if shown else told.json() == line


async def test_the_same_log_gives_the_same_bytes(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        first = await service.get("/log/export")
        await grown(service, head + 5)
        again = await service.get("/log/export", to=head)
        assert again.content == first.content


async def test_a_span_is_exported_with_the_whole_tree(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        await grown(service, 600)
        for role, first, last, expected in [
            ("auditor", 1, 600, ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"]),
            ("auditor", 300, 520, ["tile/entries/001", "tile/entries/002.p/8"]),
            ("auditor", 513, 513, ["tile/entries/002.p/1"]),
            ("auditor", 2, 256, ["tile/entries/000"]),
            ("integrator", 300, 520, ["entries.ndjson"]),
        ]:
            files = await fetched(service, role, **{"from": first, "to": last})
            assert demand_whole(files) == last
            assert msgspec.json.decode(files["export.json"])["from"] == (first - 1) // 256 * 256 + 1
            assert [name for name in files if "entries" in name] == expected
            levels = [name for name in files if name.startswith("tile/") and "entries" not in name]
            full = [f"tile/0/{number:03}" for number in range(last // 256)]
            part = [f"tile/0/{last // 256:03}.p/{last % 256}"] if last % 256 else []
            assert levels == [*full, *part, *([f"tile/1/000.p/{last // 256}"] if last >= 256 else [])]


async def test_who_stops_reading_stops_the_export(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        last = await grown(service, 600)
        pieces = exported(service.signer, service.log, Span.of(1, last))
        assert await anext(pieces)
        await pieces.aclose()
        assert (await service.get("/log/export")).status_code == 200


async def test_an_event_of_a_later_release_is_hidden_from_everybody(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        async with operator_with_all_rights(server, database_url) as connection:
            await connection.execute("UPDATE events SET type = 'later.v9' WHERE position = 2")
        files = await fetched(service)
        assert demand_whole(files) == 5
        lines = [msgspec.json.decode(line) for line in files["entries.ndjson"].splitlines()]
        assert [line["position"] for line in lines if "leaf_hash" in line] == [2]


@pytest.mark.parametrize(
    ("number", "width", "place"),
    [
        (0, 256, "000"),
        (0, 1, "000.p/1"),
        (999, 255, "999.p/255"),
        (1_000, 256, "x001/000"),
        (1_234_067, 256, "x001/x234/067"),
        (1_234_067, 112, "x001/x234/067.p/112"),
    ],
)
def test_places_are_spelled_as_tlog_tiles_does(number: int, width: int, place: str) -> None:
    assert tile_path(2, number, width) == f"tile/2/{place}"
    assert entries_path(number, width) == f"tile/entries/{place}"
    assert read_place(place) == (number, width)


@pytest.mark.parametrize("place", ["", "0", "0000", "000.p/0", "000.p/256", "000.p/01", "x000/001", "001/002", "000.p"])
def test_any_other_spelling_is_no_place(place: str) -> None:
    assert read_place(place) is None
