"""Bodies are brought into one spelling, and whatever could be read in two ways is refused."""

import json
import unicodedata
from time import perf_counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation_saas.http.limits import BODY_BYTES_MAX, DEPTH_MAX
from emulation_saas.http.refusals import (
    BodyTooLarge,
    DuplicateKey,
    ForbiddenCharacter,
    IntegerOutOfRange,
    MalformedBody,
    MalformedJson,
    NotAnInteger,
    TooDeep,
)
from emulation_saas.http.strict_json import canonical
from emulation_saas.kernel.rejections import Rejection
from emulation_saas.kernel.texts import is_blank

_text = st.text(st.characters(exclude_categories=("Cs", "Cc"))).map(
    lambda text: "" if is_blank(text) else unicodedata.normalize("NFC", text)
)
_keys = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8)
_integers = st.integers(-(2**53), 2**53)
_values = st.recursive(
    st.none() | st.booleans() | _integers | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)
_bodies = st.dictionaries(_keys, _values, max_size=6)


def nested(levels: int) -> bytes:
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@pytest.mark.parametrize(
    ("body", "spelling"),
    [
        (b'{"b":1,"a":[true,null,"x"]}', b'{"a":[true,null,"x"],"b":1}'),
        (b' {\n\t"a" : "x" }\r\n', b'{"a":"x"}'),
        (b'{"a":-0}', b'{"a":0}'),
        (b'{"a":"\\u0110\\u1ed3ng \\/ \\"\\\\"}', '{"a":"Đồng / \\"\\\\"}'.encode()),
        (b'{"a":"one\\r\\ntwo\\nthree"}', b'{"a":"one\\ntwo\\nthree"}'),
        (unicodedata.normalize("NFD", '{"a":"Nguyễn"}').encode(), '{"a":"Nguyễn"}'.encode()),
        (b'{"a":"\\ud83d\\ude00"}', '{"a":"😀"}'.encode()),
        (b'{"a":9007199254740992,"b":-9007199254740992}', b'{"a":9007199254740992,"b":-9007199254740992}'),
        (nested(DEPTH_MAX), nested(DEPTH_MAX)),
        (b'{"a":"' + b"[" * 100 + b'"}', b'{"a":"' + b"[" * 100 + b'"}'),
        (b'{"a":"\\"' + b"[" * 100 + b'"}', b'{"a":"\\"' + b"[" * 100 + b'"}'),
        (b"{}", b"{}"),
        (b'{" ":[" "," - "]}', b'{" ":[""," - "]}'),
        ('{"a":"\u200b\u00a0\u3000","b":"\u00a0…\u200b"}'.encode(), '{"a":"","b":"\u00a0…\u200b"}'.encode()),
        (b'{"a":"\\ufeff","b":" \\n ","c":" \\u0301"}', b'{"a":"","b":"","c":""}'),
    ],
)
def test_two_spellings_of_the_same_are_the_same(body: bytes, spelling: bytes) -> None:
    assert canonical(body) == spelling


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", MalformedJson),
        (b" ", MalformedJson),
        (b"{", MalformedJson),
        (b'{"a":1}x', MalformedJson),
        (b"{'a':1}", MalformedJson),
        (b'{"a":1,}', MalformedJson),
        (b'{"a":01}', MalformedJson),
        (b'{"a":NaN}', MalformedJson),
        (b'{"a":-Infinity}', MalformedJson),
        (b'\xef\xbb\xbf{"a":1}', MalformedJson),
        (b'{"a":"\xff"}', MalformedJson),
        (b'{"a":"\xed\xa0\x80"}', MalformedJson),
        (b'{"a":"\xc0\x80"}', MalformedJson),
        ('{"a":1}'.encode("utf-16"), MalformedJson),
        (b'{"a":"\x00"}', MalformedJson),
        (b'{"a":"\n"}', MalformedJson),
        (b'{"a":"' + b'\\"' * 1000, MalformedJson),
        (b'{"a":1,"a":1}', DuplicateKey),
        (b'{"a":{"b":1,"\\u0062":2}}', DuplicateKey),
        (b'{"a":1.0}', NotAnInteger),
        (b'{"a":1e2}', NotAnInteger),
        (b'{"a":1e400}', NotAnInteger),
        (b'{"a":9007199254740993}', IntegerOutOfRange),
        (b'{"a":-9007199254740993}', IntegerOutOfRange),
        (b'{"a":' + b"9" * 5000 + b"}", IntegerOutOfRange),
        (b'{"a":"\\u0000"}', ForbiddenCharacter),
        (b'{"a":"\\t"}', ForbiddenCharacter),
        (b'{"a":"\\r"}', ForbiddenCharacter),
        (b'{"a":"\x7f"}', ForbiddenCharacter),
        ('{"a":"đ\x85"}'.encode(), ForbiddenCharacter),
        (b'{"a":"\\ud800"}', ForbiddenCharacter),
        (b'{"\\udc00":1}', ForbiddenCharacter),
        ('{"đ":1}'.encode(), ForbiddenCharacter),
        (b'{"a\\n":1}', ForbiddenCharacter),
        (b"[]", MalformedBody),
        (b'"a"', MalformedBody),
        (b"null", MalformedBody),
        (nested(DEPTH_MAX + 1), TooDeep),
        (b"[" * 100_000, TooDeep),
        (b'{"a":' * 50_000, TooDeep),
        (b'{"a":"' + b"x" * BODY_BYTES_MAX + b'"}', BodyTooLarge),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(body: bytes, refusal: type[Rejection]) -> None:
    with pytest.raises(Rejection) as raised:
        canonical(body)
    assert type(raised.value) is refusal


def test_largest_body_is_taken() -> None:
    body = b'{"a":"' + b"x" * (BODY_BYTES_MAX - 8) + b'"}'
    assert canonical(body) == body


@given(_bodies)
def test_clean_bodies_say_what_json_says(body: dict[str, Any]) -> None:
    for spelled in (json.dumps(body), json.dumps(body, ensure_ascii=False, indent=1)):
        assert json.loads(canonical(spelled.encode())) == body


@given(_bodies)
def test_one_spelling_stays_itself(body: dict[str, Any]) -> None:
    once = canonical(json.dumps(body).encode())
    assert canonical(once) == once
    assert once == msgspec.json.encode(json.loads(once), order="sorted")


@given(st.dictionaries(_keys, st.text(), max_size=3))
def test_text_comes_out_clean_or_is_refused(body: dict[str, str]) -> None:
    try:
        texts = json.loads(canonical(json.dumps(body).encode())).values()
    except ForbiddenCharacter:
        return
    for text in texts:
        assert unicodedata.is_normalized("NFC", text)
        assert not text or not is_blank(text)
        assert all(character == "\n" or unicodedata.category(character) != "Cc" for character in text)


@given(st.binary(max_size=60) | st.text('{}[]",:\\ue0125.-+tfn \x00', max_size=60).map(str.encode))
def test_any_bytes_are_spelled_or_refused(body: bytes) -> None:
    try:
        spelled = canonical(body)
    except Rejection:
        return
    assert canonical(spelled) == spelled


@pytest.mark.parametrize("body", [b'"' * 250_000, b"[]," * 80_000, b'{"a":"' + b'\\"' * 120_000, b'"\\' * 120_000])
def test_no_body_takes_long(body: bytes) -> None:
    started = perf_counter()
    with pytest.raises(Rejection):
        canonical(body)
    assert perf_counter() - started < 1


def test_a_vote_is_spelled_in_microseconds() -> None:
    vote = '{"agency":"so-noi-vu","choices":[{"options":["so-tai-chinh"],"question":"leading-unit"}],"note":"Đồng ý"}'
    body = vote.encode()
    best_s = min(_timed(body) for _ in range(30))
    assert best_s < 0.000_1, "15 µs on an idle machine; the bound leaves room for a busy one"


def _timed(body: bytes) -> float:
    started = perf_counter()
    for _ in range(20):
        canonical(body)
    return (perf_counter() - started) / 20
