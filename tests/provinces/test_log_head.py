"""Where a province's log stands is told to whoever has a role in it."""

from datetime import UTC, datetime
from pathlib import Path

from emulation_saas.log import Head
from emulation_saas.provinces.routes import read_log_head
from tests.http.notebook import Notebook, calling, little_service

PATH = "/v1/provinces/bac-song/log"


class Standing(Notebook):
    """A log that stands at position 7."""

    async def head(self) -> Head:
        instant = datetime(2024, 1, 30, 2, 0, tzinfo=UTC)
        return Head(7, instant, bytes(range(32)), b"", instant)


async def test_the_head_is_told_with_its_root_in_hex(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path, notebook=Standing(), routes=[read_log_head])) as client:
        answer = await client.get(PATH)
    assert answer.status_code == 200
    assert answer.json() == {
        "position": 7,
        "recorded_at": "2024-01-30T02:00:00Z",
        "root": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    }
    assert (answer.headers["log-position"], answer.headers["cache-control"]) == ("7", "no-store")


async def test_a_stranger_learns_nothing_of_it(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path, notebook=Standing(), routes=[read_log_head]), "gone") as client:
        answer = await client.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-province")
