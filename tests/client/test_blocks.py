"""Streams are cut into blocks by the HTML standard, however they come in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation_saas.client.blocks import BLOCK_BYTES_MAX, Block, Blocks
from emulation_saas.client.faults import MalformedError


def blocks_of(*pieces: bytes) -> list[Block]:
    stream = Blocks()
    return [block for piece in pieces for block in stream.take(piece)]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [Block("", "message", b"YHOO\n+2\n10")]),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            [
                Block("1", "message", b"first event"),
                Block("", "message", b"second event"),
                Block("", "message", b" third event"),
            ],
        ),
        (b"data\n\ndata\ndata\n\ndata:", [Block("", "message", b""), Block("", "message", b"\n")]),
        (b"data:test\n\ndata: test\n\n", [Block("", "message", b"test"), Block("", "message", b"test")]),
        (b"event: add\ndata: 1\n\nevent: remove\n\ndata: 2\n\n", [Block("", "add", b"1"), Block("", "message", b"2")]),
        (b"id: 5100\n\n", [Block("5100", "message", None)]),
        (b"id: 7\ndata: a\n\ndata: b\n\n", [Block("7", "message", b"a"), Block("7", "message", b"b")]),
        (b"id: 7\nid: 8\0\ndata: a\n\n", [Block("7", "message", b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", [Block("", "message", b"a")]),
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [Block("", "message", each) for each in (b"a", b"b", b"c")]),
        (b"data: never ended\n", []),
        (b"unknown: x\n: a comment\n\n\n\n", []),
        ("data: Đặng\n\n".encode(), [Block("", "message", "Đặng".encode())]),
    ],
)
def test_examples_of_the_standard(stream: bytes, expected: list[Block]) -> None:
    assert blocks_of(stream) == expected
    assert blocks_of(*(stream[at : at + 1] for at in range(len(stream)))) == expected


@pytest.mark.parametrize(
    ("line", "retry_s"), [(b"retry: 3000", 3.0), (b"retry: 1.5", None), (b"retry: -1", None), (b"retry:", None)]
)
def test_wish_to_be_left_alone_is_heard(line: bytes, retry_s: float | None) -> None:
    stream = Blocks()
    assert list(stream.take(line + b"\n")) == []
    assert stream.retry_s == retry_s


LINES = st.sampled_from(
    [b"id: 12", b"id", b"data: x", b"data:", b"data: \xc3\xa9", b"event: a.b", b": ping", b"", b"", b"retry: 10", b"x"]
)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])


@given(lines=st.lists(st.tuples(LINES, ENDS), max_size=40), data=st.data())
def test_pieces_and_line_ends_do_not_matter(lines: list[tuple[bytes, bytes]], data: st.DataObject) -> None:
    # A CR that ends an empty line's neighbour and an LF would be one end: between lines there is a choice, not within.
    stream = b"".join(line + end for line, end in lines)
    plain = b"".join(line + b"\n" for line, _ in _joined(lines))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    pieces = [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert blocks_of(*pieces) == blocks_of(plain)


def _joined(lines: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the lines as they are read: a line feed after a carriage return ends no line of its own."""
    read: list[tuple[bytes, bytes]] = []
    for line, end in lines:
        if read and read[-1][1] == b"\r" and line == b"" and end == b"\n":
            read[-1] = (read[-1][0], b"\r\n")
        else:
            read.append((line, end))
    return read


def test_line_at_the_limit_is_taken_and_a_longer_one_is_not() -> None:
    line = b"data:" + b"x" * (BLOCK_BYTES_MAX - 5)
    assert [len(block.data or b"") for block in blocks_of(line + b"\n\n")] == [BLOCK_BYTES_MAX - 5]
    for pieces in ([line + b"x\n"], [line, b"x"]):
        with pytest.raises(MalformedError):
            blocks_of(*pieces)


def test_block_without_end_is_not_kept_for_ever() -> None:
    with pytest.raises(MalformedError):
        blocks_of(*[b"data: " + b"x" * 1000 + b"\n"] * 140)
