"""An event's bytes: one spelling, made once."""

import json
import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET

from emulation_saas.access.events import PersonRegistered
from emulation_saas.ballots.events import BallotOpened, VoteCast
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import OPERATOR, ProvinceId
from emulation_saas.kernel.numbers import spell_points
from emulation_saas.log import Codec, Registry
from emulation_saas.log.codec import EVENT_BYTES_MAX, BadNumber, BadText, EventTooLarge, Place
from emulation_saas.log.frontier import leaf_hash
from emulation_saas.log.registry import UnknownTypeError
from emulation_saas.log.sealing import Opener, derive
from emulation_saas.scoring.events import ScoreAppraised, SelfScoreSubmitted
from emulation_saas.wiring import EVENT_TYPES
from emulation_saas.years.events import YearLaunched, YearOpened, YearOpenedV1
from tests.builders import BLOC, FULL_SAMPLES, PERSON, SAMPLES, YEAR
from tests.log import golden
from tests.log.courses import Joined

CODEC: Final = Codec(Registry(EVENT_TYPES))
PROVINCE: Final = ProvinceId(UUID("0190c3f2-0000-7000-8000-000000000001"))
RECORDED_AT: Final = datetime(2024, 1, 30, 2, 0, 5, 123456, tzinfo=UTC)
PLACE: Final = Place(
    province=PROVINCE,
    position=5000,
    recorded_at=RECORDED_AT,
    time=datetime(2024, 1, 30, 2, 0, tzinfo=UTC),
    actor=PERSON,
    command_id=UUID("3f1c0a52-8d5e-4c0b-9a53-0d8f5f0a7b11"),
    salt=bytes(range(16)),
)
ENCRYPTION, KID = derive(bytes(range(32)))
OPENER: Final = Opener(PROVINCE, {(PERSON, 1): (ENCRYPTION, KID)}, {KID: ENCRYPTION})
DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{0,5}[1-9])?")
"""The grammar of design.md 4, written again on purpose."""
EVERY: Final = [
    pytest.param(event, id=f"{event.type}{variant}")
    for samples, variant in ((SAMPLES, ""), (FULL_SAMPLES, "-full"))
    for event in samples.values()
    if event.becomes is None  # earlier shapes are read, and written no more
]


def launched(text: str) -> YearLaunched:
    """Return an event that says a text."""
    return YearLaunched(bloc=BLOC, year=YEAR, text=text)


def encoded(event: Event, place: Place = PLACE) -> dict[str, Any]:
    """Return the event's document, read back by another JSON reader."""
    document: dict[str, Any] = json.loads(CODEC.encode(event, place, OPENER))
    return document


@pytest.mark.parametrize(
    ("event", "body", "hashed"),
    [
        pytest.param(SAMPLES[VoteCast], golden.VOTE.encode(), golden.VOTE_LEAF_HASH, id="plain"),
        pytest.param(SAMPLES[SelfScoreSubmitted], golden.SCORES.encode(), golden.SCORES_LEAF_HASH, id="decimals"),
    ],
)
def test_bytes_and_leaf_hash_are_the_golden_ones(event: Event, body: bytes, hashed: str) -> None:
    assert CODEC.encode(event, PLACE, None) == body
    assert leaf_hash(body).hex() == hashed
    assert CODEC.decode(event.type, body, None).event == event


def test_golden_event_of_an_earlier_shape_is_read_in_todays() -> None:
    body = golden.YEAR_OPENED_AT_FIRST.encode()
    assert leaf_hash(body).hex() == golden.YEAR_OPENED_AT_FIRST_LEAF_HASH
    recorded = CODEC.decode(YearOpenedV1.type, body, None)
    today = FULL_SAMPLES[YearOpened]
    assert isinstance(today, YearOpened)
    silent = msgspec.structs.replace(today.rules, dispute_answer_days=UNSET, disputes_suspend_nominations=False)
    assert recorded.event == msgspec.structs.replace(today, rules=silent)
    with pytest.raises(UnknownTypeError):
        CODEC.encode(FULL_SAMPLES[YearOpenedV1], PLACE, None)


def test_golden_sealed_event_opens_and_stands_as_it_would_be_written_today() -> None:
    event = SAMPLES[PersonRegistered]
    body = golden.PERSON_SEALED.encode()
    assert leaf_hash(body).hex() == golden.PERSON_SEALED_LEAF_HASH
    assert CODEC.decode(event.type, body, OPENER).event == event
    again, stored = encoded(event), json.loads(body)
    for field in ("issuer", "name", "sub"):  # what is drawn anew: nonces, and ciphertexts with them
        assert again["data"][field].pop("n") != stored["data"][field].pop("n")
        assert len(again["data"][field].pop("c")) == len(stored["data"][field].pop("c"))
    assert again == stored


@pytest.mark.parametrize("event", EVERY)
def test_bytes_are_in_canonical_form(event: Event) -> None:
    body = CODEC.encode(event, PLACE, OPENER)
    text = body.decode()
    document = json.loads(text, parse_float=pytest.fail, object_pairs_hook=no_duplicates)
    # With ASCII keys and no floats, RFC 8785 is what another encoder writes with sorted keys and no spaces.
    assert json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text
    assert unicodedata.is_normalized("NFC", text)
    assert all(key.isascii() for key in keys_of(document))
    assert None not in values_of(document)


@pytest.mark.parametrize("event", EVERY)
def test_every_type_is_read_back_as_it_was_written(event: Event) -> None:
    body = CODEC.encode(event, PLACE, OPENER)
    opener = OPENER if CODEC.kids_of(event.type, body) else None
    recorded = CODEC.decode(event.type, body, opener)
    assert recorded.event == event
    assert (recorded.position, recorded.actor, recorded.recorded_at) == (5000, PERSON, RECORDED_AT)
    assert recorded.time == PLACE.time
    assert CODEC.kids_of(event.type, body) == ({KID} if CODEC.persons_of(event) else set())


@pytest.mark.parametrize("event", EVERY)
def test_envelope_says_what_the_place_says(event: Event) -> None:
    document = encoded(event)
    subject = document.pop("subject", None)
    assert subject == event.subject()
    assert document.pop("data").get("type") is None, "data never holds its own type"
    assert document == {
        "actor": PERSON,
        "commandid": str(PLACE.command_id),
        "dataschema": f"urn:emulation:schema:{event.type}",
        "id": "5000",
        "recordedtime": "2024-01-30T02:00:05.123456Z",
        "salt": "AAECAwQFBgcICQoLDA0ODw",
        "sequence": "0000000000000005000",
        "source": f"urn:emulation:province:{PROVINCE}",
        "specversion": "1.0",
        "time": "2024-01-30T02:00:00Z",
        "type": event.type,
    }


@pytest.mark.parametrize("event", EVERY)
def test_subject_and_tags_are_built_of_handles_only(event: Event) -> None:
    path = re.compile(r"[a-z0-9-]{1,40}(/[a-z0-9-]{1,40})*")
    tag = re.compile(r"log|province|webhooks|[a-z]+:[a-z0-9-]{1,40}(/[a-z0-9-]{1,40})?")
    subject = event.subject()
    assert subject is None or path.fullmatch(subject)
    assert [each for each in event.tags() if not tag.fullmatch(each)] == []
    assert event.tags() == list(dict.fromkeys(event.tags()))


def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    assert len(document) == len(pairs)
    return document


def keys_of(value: object) -> list[str]:
    match value:
        case dict():
            return [*value, *(key for inner in value.values() for key in keys_of(inner))]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - any JSON
        case list():
            return [key for inner in value for key in keys_of(inner)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - any JSON
        case _:
            return []


def values_of(value: object) -> list[object]:
    match value:
        case dict():
            return [leaf for inner in value.values() for leaf in values_of(inner)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - any JSON
        case list():
            return [leaf for inner in value for leaf in values_of(inner)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - any JSON
        case _:
            return [value]


def test_absent_time_is_the_recorded_time_cut_and_not_rounded() -> None:
    place = replace(PLACE, recorded_at=RECORDED_AT.replace(microsecond=999_999), time=None)
    document = encoded(SAMPLES[VoteCast], place)
    assert document["time"] == "2024-01-30T02:00:05Z"
    assert document["recordedtime"] == "2024-01-30T02:00:05.999999Z"


def test_recorded_time_always_has_six_digits() -> None:
    place = replace(PLACE, recorded_at=RECORDED_AT.replace(microsecond=0), time=None)
    assert encoded(SAMPLES[VoteCast], place)["recordedtime"] == "2024-01-30T02:00:05.000000Z"


@pytest.mark.parametrize("event", EVERY)
def test_cause_stands_in_its_place_and_nothing_else_is_another_for_it(event: Event) -> None:
    body = CODEC.encode(SAMPLES[VoteCast], replace(PLACE, causation=115), None)
    assert body.replace(b'"causationid":"115",', b"") == golden.VOTE.encode()
    document = encoded(event, replace(PLACE, causation=115))
    assert document["causationid"] == "115"
    assert list(document) == sorted(document)


def test_cause_is_read_back_and_is_none_where_none_was_named() -> None:
    body = CODEC.encode(SAMPLES[VoteCast], replace(PLACE, causation=115), None)
    assert CODEC.decode(VoteCast.type, body, None).causation == 115
    assert CODEC.decode(VoteCast.type, golden.VOTE.encode(), None).causation is None


def test_operator_and_high_positions_are_spelled() -> None:
    document = encoded(SAMPLES[VoteCast], replace(PLACE, actor=OPERATOR, position=2**53))
    assert (document["actor"], document["id"], document["sequence"]) == ("operator", str(2**53), f"{2**53:019d}")


# Text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Thanh tra tỉnh\nhai dòng", id="line-feed"),
        pytest.param('"\\/\u00a0\u2028\U0001f389 ', id="quotes-and-beyond"),
        pytest.param(" không cắt ", id="not-trimmed"),
        pytest.param("", id="empty"),
    ],
)
def test_text_is_kept_as_it_is(text: str) -> None:
    body = CODEC.encode(launched(text), PLACE, None)
    assert CODEC.decode(YearLaunched.type, body, None).event.text == text
    assert json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == body


@pytest.mark.parametrize("control", [chr(code) for code in (*range(0x0A), *range(0x0B, 0x20), *range(0x7F, 0xA0))])
@pytest.mark.parametrize("around", ["{}", "a{}b", "tỉnh{}\n"])
def test_control_character_other_than_line_feed_is_refused(control: str, around: str) -> None:
    with pytest.raises(BadText):
        CODEC.encode(launched(around.format(control)), PLACE, None)


@given(st.text(st.characters(codec="utf-8"), max_size=8))
@example(unicodedata.normalize("NFD", "tỉnh"))
@example("\u0338")
@example("\\u0000")
def test_text_is_written_exactly_if_it_is_nfc_and_without_controls(text: str) -> None:
    good = unicodedata.is_normalized("NFC", text) and not any(
        unicodedata.category(character) == "Cc" and character != "\n" for character in text
    )
    try:
        body = CODEC.encode(launched(text), PLACE, None)
    except BadText:
        assert not good
    else:
        assert good
        assert json.loads(body)["data"]["text"] == text


@pytest.mark.parametrize("name", [unicodedata.normalize("NFD", "Đặng"), "Đặng\tVăn", "Đặng\x00"])
def test_personal_text_is_held_to_the_same_before_it_is_sealed(name: str) -> None:
    event = PersonRegistered(person=PERSON, issuer="https://id.example.vn", sub="dao", name=name)
    with pytest.raises(BadText):
        CODEC.encode(event, PLACE, OPENER)


# Numbers


def appraised(points: Decimal) -> ScoreAppraised:
    """Return an event with a number."""
    sample = SAMPLES[ScoreAppraised]
    assert isinstance(sample, ScoreAppraised)
    return msgspec.structs.replace(sample, points=points)


@pytest.mark.parametrize(
    ("points", "spelled"),
    [
        ("18.50", "18.5"),
        ("18.000000", "18"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("1E+2", "100"),
        ("1E-6", "0.000001"),
        ("-0.5", "-0.5"),
        ("007", "7"),
        ("999999999999999.999999", "999999999999999.999999"),
        ("-999999999999999", "-999999999999999"),
        ("1000000", "1000000"),
    ],
)
def test_decimal_has_one_spelling(points: str, spelled: str) -> None:
    document = encoded(appraised(Decimal(points)))
    assert document["data"]["points"] == spelled


@pytest.mark.parametrize(
    "points", ["1E+15", "-1E+15", "0.0000001", "1.0000001", "NaN", "sNaN", "Infinity", "-Infinity"]
)
def test_number_past_the_limit_is_refused(points: str) -> None:
    with pytest.raises(BadNumber):
        CODEC.encode(appraised(Decimal(points)), PLACE, None)


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.decimals(-(10**16), 10**16, places=7))
def test_every_decimal_is_spelled_by_the_grammar_and_exactly_or_refused(points: Decimal) -> None:
    writable = (
        abs(points) < 10**15 and points == points.quantize(Decimal("0.000001")) if abs(points) < 10**16 else False
    )
    try:
        spelled = spell_points(points)
    except ValueError:
        assert not writable
    else:
        assert writable
        assert DECIMAL.fullmatch(spelled)
        assert spelled != "-0"
        assert Decimal(spelled) == points


# Sizes


def test_event_at_the_limit_is_written_and_one_byte_past_it_refused() -> None:
    room = EVENT_BYTES_MAX - len(CODEC.encode(launched(""), PLACE, None))
    assert len(CODEC.encode(launched("x" * room), PLACE, None)) == EVENT_BYTES_MAX == 65_535
    with pytest.raises(EventTooLarge):
        CODEC.encode(launched("x" * (room + 1)), PLACE, None)


def test_size_is_counted_in_bytes() -> None:
    room = EVENT_BYTES_MAX - len(CODEC.encode(launched(""), PLACE, None))
    with pytest.raises(EventTooLarge):
        CODEC.encode(launched("ệ" * (room // 3 + 1)), PLACE, None)


# Types


def test_type_that_is_not_registered_is_not_written() -> None:
    with pytest.raises(UnknownTypeError):
        CODEC.encode(Joined(course="toan", student="lan"), PLACE, None)


def test_personal_fields_are_not_written_without_keys() -> None:
    with pytest.raises(ValueError, match="there are no keys"):
        CODEC.encode(SAMPLES[PersonRegistered], PLACE, None)


def test_instants_in_data_have_no_fraction() -> None:
    event = FULL_SAMPLES[BallotOpened]
    assert isinstance(event, BallotOpened)
    assert isinstance(event.closes_at, datetime)
    shifted = msgspec.structs.replace(event, closes_at=event.closes_at + timedelta(microseconds=999_999))
    assert encoded(event)["data"]["closes_at"] == "2024-01-30T04:00:00Z" == encoded(shifted)["data"]["closes_at"]
