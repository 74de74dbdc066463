"""Lists come in pages of one snapshot, and a cursor goes on only where it was given."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation_saas.http.limits import CURSOR_CHARS_MAX, PAGE_DEFAULT, PAGE_MAX
from emulation_saas.http.paging import Page, cursor
from emulation_saas.http.refusals import BadCursor
from tests.http.notebook import NOTES, calling, little_service


@given(position=st.integers(0, 2**53), after=st.text(min_size=1, max_size=100), of=st.text(max_size=50))
def test_a_cursor_goes_on_where_it_was_given(position: int, after: str, of: str) -> None:
    try:
        after.encode()
    except UnicodeEncodeError:
        return
    given_back = Page(cursor=cursor(of=of.encode(errors="replace").decode(), position=position, after=after))
    assert given_back.start(of.encode(errors="replace").decode()) == (position, after)


def test_the_first_page_has_no_cursor() -> None:
    assert Page().start("notes") == (None, None)
    assert Page().limit == PAGE_DEFAULT


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(BadCursor):
        Page(cursor=cursor(of="notes", position=1, after="a")).start("books")


@given(st.text(max_size=60))
def test_invented_cursors_are_refused(invented: str) -> None:
    with pytest.raises(BadCursor):
        Page(cursor=invented).start("notes")


def test_a_changed_cursor_is_refused() -> None:
    whole = cursor(of="notes", position=1, after="abc")
    for place in range(len(whole)):
        changed = whole[:place] + ("A" if whole[place] != "A" else "B") + whole[place + 1 :]
        with pytest.raises(BadCursor):
            Page(cursor=changed).start("notes")
    with pytest.raises(BadCursor):
        Page(cursor=whole + "=").start("notes")


@pytest.mark.parametrize(("limit", "status"), [(1, 200), (PAGE_MAX, 200), (PAGE_MAX + 1, 422), (0, 422), (-1, 422)])
async def test_a_limit_is_bounded(tmp_path: Path, limit: int, status: int) -> None:
    async with calling(little_service(tmp_path)) as client:
        assert (await client.get(f"{NOTES}?limit={limit}")).status_code == status


async def test_a_list_goes_on_over_http(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path)) as client:
        answer = await client.get(NOTES, params={"cursor": cursor(of="notes", position=9, after="n-7"), "limit": 5})
        assert answer.json()["start"] == [9, "n-7"]
        assert (await client.get(NOTES, params={"cursor": "x" * (CURSOR_CHARS_MAX + 1)})).json()["code"] == "bad-cursor"
