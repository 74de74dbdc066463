"""What has to be on record is recorded once, before the first byte of its answer; what is not, is not looked at."""

from pathlib import Path
from typing import Any

import pytest
from litestar import get, post
from litestar.params import FromQuery

from emulation_saas.http.exchange import note_read
from emulation_saas.http.reads import Read
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import PersonId
from tests.http.notebook import ADA, NOTES, Notebook, calling, little_service

HERE = "/v1/provinces/bac-song"


class Audited(Notebook):
    """A notebook in which Ada is an auditor."""

    async def authority(self, person: PersonId, *, is_newest: bool = False, min_position: int = 0) -> Authority:
        del is_newest, min_position
        return Authority(person=person, known=person == ADA, is_auditor=True)


class Records:
    """Remembers what was put on record, or fails to."""

    def __init__(self, *, is_broken: bool = False) -> None:
        self.reads: list[Read] = []
        self.is_broken = is_broken

    async def record(self, read: Read) -> None:
        if self.is_broken:
            raise OSError(read.reason)
        self.reads.append(read)


@get("/names")
async def read_names(as_of: FromQuery[int | None] = None) -> dict[str, str]:
    """Show a name, twice, whenever it was."""
    del as_of
    note_read("names")
    note_read("names")
    return {"name": "Đặng Văn Đào"}


@post("/what-if", status_code=200)
async def ask_what_if() -> dict[str, int]:
    """Answer a question that takes a body."""
    return {"answer": 1}


def service(folder: Path, records: Records, *, notebook: Notebook | None = None) -> Any:  # noqa: ANN401 - an ASGI application
    return little_service(folder, notebook=notebook, routes=[read_names, ask_what_if], recorder=records.record)


async def test_answer_that_notes_a_read_is_recorded_once_with_its_reason(tmp_path: Path) -> None:
    records = Records()
    async with calling(service(tmp_path, records)) as client:
        assert (await client.get(f"{HERE}/names?as_of=7")).status_code == 200
        assert (await client.get(NOTES)).status_code == 200, "the next answer begins without reasons"
    expected = Read(
        province="bac-song", person=ADA, request=f"GET {HERE}/names", as_of="7", position=None, reason="names"
    )
    assert records.reads == [expected]


@pytest.mark.parametrize(
    ("method", "path", "is_recorded"),
    [
        ("GET", NOTES, True),
        ("GET", f"{HERE}/stream", True),
        ("GET", f"{HERE}/years/2023?since=khong", True),
        ("GET", f"{HERE}/nothing-there", False),
        ("POST", f"{HERE}/what-if", True),
        ("POST", f"{NOTES}/n-1", False),
    ],
)
async def test_auditor_is_recorded_for_whatever_reads(
    tmp_path: Path, method: str, path: str, *, is_recorded: bool
) -> None:
    records = Records()
    async with calling(service(tmp_path, records, notebook=Audited())) as client:
        answer = await client.request(method, path, json={"note": "n"} if method == "POST" else None)
    assert [read.reason for read in records.reads] == (["auditor"] if is_recorded else [])
    if not is_recorded:
        assert answer.status_code in {201, 404}, "a command, or no route: nothing was read"


@pytest.mark.parametrize("path", [NOTES, f"{HERE}/names", f"{HERE}/stream"])
async def test_nothing_of_an_answer_leaves_that_is_not_on_record(tmp_path: Path, path: str) -> None:
    async with calling(service(tmp_path, Records(is_broken=True), notebook=Audited())) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "read-not-recorded")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] in answer.json()["instance"]


def test_outside_a_request_noting_a_read_does_nothing() -> None:
    note_read("names")
