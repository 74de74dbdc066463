"""A caller who holds a document already is told so."""

import pytest

from emulation_saas.http.answers import is_same


@pytest.mark.parametrize(
    ("held", "same"),
    [
        (None, False),
        (b'"7-a"', True),
        (b'W/"7-a"', True),
        (b'"6-a", "7-a"', True),
        (b"*", True),
        (b'"7-b"', False),
        (b"7-a", False),
        (b"", False),
    ],
)
def test_a_tag_tells_what_is_held(held: bytes | None, *, same: bool) -> None:
    assert is_same(held, b'"7-a"') is same
