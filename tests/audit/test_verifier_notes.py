"""Signed notes and verifier keys: the published samples verify, and nothing that is malformed does."""

import base64
import hashlib
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from emulation_saas.audit.verifier import (
    SIGNATURES_MAX,
    TamperedError,
    Vkey,
    decoded,
    parse_checkpoint,
    parse_note,
    signers_of,
    verify_note,
)
from tests.audit.asking import run_alone, verify
from tests.audit.exports import KEEPER, STRANGER, Signer
from tests.log.test_frontier import ROOTS

TEXT: Final = "log.example/province/01\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n"
LOG_LINE: Final = (
    "— log.example/province/01 "
    "/MbmFPtKWyRaxr/bIVsKr2xO1TA3SmQ4XXe2CAvodYahpbnU8yMZ0/wZbB11+c+27IE2eLGTJitko3v6i0qJDVkPXwA=\n"
)
WITNESS_LINE: Final = (
    "— witness.example/w1 "
    "IDJKvgAAAABpVbkABG9PWrEUYgfNJXWZejku2JCjRkuE+6DBJuU2F8HhdkRQaQbD4fweGtMD20df48T2ELZXLfJpf+CTNs2VviPODw==\n"
)
LOG_VKEY: Final = "log.example/province/01+fcc6e614+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
WITNESS_VKEY: Final = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"
NOTE: Final = f"{TEXT}\n{LOG_LINE}{WITNESS_LINE}"
C2SP_VKEY: Final = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE: Final = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
"""The example of the signed-note specification itself."""


def test_example_of_the_specification_verifies() -> None:
    key = Vkey.parse(C2SP_VKEY)
    assert key.name == "example.com/foo"
    assert verify_note(parse_note(C2SP_NOTE.encode()), [key]) == [key]


def test_wire_sample_is_the_published_tree_and_its_log_signed_it() -> None:
    checkpoint = parse_checkpoint(NOTE.encode())
    assert (checkpoint.origin, checkpoint.size, checkpoint.root.hex()) == ("log.example/province/01", 8, ROOTS[8])
    assert verify_note(checkpoint.note, [Vkey.parse(LOG_VKEY)]) == [Vkey.parse(LOG_VKEY)]
    assert Signer(bytes(range(32)), "log.example/province/01").vkey == LOG_VKEY
    assert Signer(bytes(range(32)), "log.example/province/01").line(TEXT) == LOG_LINE


def test_witness_of_the_wire_sample_cosigned_the_same_text() -> None:
    _, (name, key_id, cosignature) = parse_note(NOTE.encode()).signatures
    shown_name, shown_id, encoded = WITNESS_VKEY.split("+", 2)
    material = decoded(encoded)
    assert (name, key_id.hex()) == (shown_name, shown_id)
    assert hashlib.sha256(f"{name}\n".encode() + material).digest()[:4] == key_id
    time, signature = int.from_bytes(cosignature[:8], "big"), cosignature[8:]
    signed = f"cosignature/v1\ntime {time}\n{TEXT}".encode()
    Ed25519PublicKey.from_public_bytes(material[1:]).verify(signature, signed)


def test_lines_of_unknown_keys_are_passed_over() -> None:
    assert signers_of(parse_note(NOTE.encode()), [Vkey.parse(KEEPER.vkey)]) == []
    for other in (Signer(bytes(32), "log.example/province/01").line(TEXT), STRANGER.line(TEXT)):
        note = parse_note(f"{TEXT}\n{other}{LOG_LINE}".encode())
        assert verify_note(note, [Vkey.parse(LOG_VKEY)]) == [Vkey.parse(LOG_VKEY)]


def test_false_line_of_a_known_key_spoils_the_note_though_another_signed() -> None:
    keys = [Vkey.parse(LOG_VKEY), Vkey.parse(KEEPER.vkey)]
    false = KEEPER.line(TEXT + "more\n")
    with pytest.raises(TamperedError, match="is false"):
        verify_note(parse_note(f"{TEXT}\n{LOG_LINE}{false}".encode()), keys)


def test_note_that_no_known_key_signed_is_refused() -> None:
    with pytest.raises(TamperedError, match="none of the keys"):
        verify_note(parse_note(NOTE.encode()), [Vkey.parse(KEEPER.vkey)])
    with pytest.raises(TamperedError, match="none of the keys"):
        verify_note(parse_note(NOTE.encode()), [])


def test_sixteen_signatures_are_read_and_one_more_is_not() -> None:
    lines = [Signer(bytes([number] * 32)).line(TEXT) for number in range(SIGNATURES_MAX)]
    assert len(parse_note(f"{TEXT}\n{''.join(lines)}".encode()).signatures) == 16
    with pytest.raises(TamperedError):
        parse_note(f"{TEXT}\n{''.join(lines)}{LOG_LINE}".encode())


@pytest.mark.parametrize(
    "note",
    [
        pytest.param(NOTE.removesuffix("\n"), id="no line feed at the end"),
        pytest.param(TEXT, id="no signature"),
        pytest.param(f"{TEXT}\n", id="no signature line"),
        pytest.param(f"{TEXT}{LOG_LINE}", id="no empty line"),
        pytest.param(f"{TEXT}\n{LOG_LINE}{LOG_LINE}", id="a line twice"),
        pytest.param(f"{TEXT}\n{LOG_LINE}{LOG_LINE.replace('D', 'E')}", id="two lines of one key"),
        pytest.param(f"{TEXT}\n-{LOG_LINE[1:]}", id="no dash"),
        pytest.param(f"{TEXT}\n{LOG_LINE.replace(' ', '  ', 1)}", id="two spaces"),
        pytest.param(f"{TEXT}\n{LOG_LINE.replace(chr(10), ' x' + chr(10))}", id="a fourth word"),
        pytest.param(f"{TEXT}\n— a+b AAAAAAAA\n", id="plus in a name"),
        pytest.param(f"{TEXT}\n— a\u00a0b AAAAAAAA\n", id="space in a name"),
        pytest.param(f"{TEXT}\n—  AAAAAAAA\n", id="no name"),
        pytest.param(f"{TEXT}\n— a AAAAAA==\n", id="a key id and no signature"),
        pytest.param(f"{TEXT}\n— a AAAAAAB=\n", id="base64 in another spelling"),
        pytest.param(f"{TEXT}\n— a !!!!\n", id="no base64"),
        pytest.param(NOTE.replace("\n", "\r\n"), id="carriage returns"),
        pytest.param(NOTE.replace("8\n", "8\t\n"), id="a tab"),
        pytest.param("", id="nothing"),
    ],
)
def test_malformed_note_is_refused(note: str) -> None:
    with pytest.raises(TamperedError):
        parse_checkpoint(note.encode())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TEXT + "extension\n", id="a fourth line"),
        pytest.param(TEXT.replace("8\n", "", 1), id="no size"),
        pytest.param(TEXT.replace("8\n", "08\n"), id="a leading zero"),
        pytest.param(TEXT.replace("8\n", "+8\n"), id="a sign"),
        pytest.param(TEXT.replace("8\n", "٨\n"), id="another digit"),
        pytest.param(TEXT.replace("8\n", "1" * 5000 + "\n"), id="a huge size"),
        pytest.param(TEXT.replace("XcnaeacG", ""), id="a short root"),
        pytest.param(TEXT.replace("Qyg=", "Qyh="), id="a root in another spelling"),
        pytest.param("\n8\n" + TEXT.split("\n")[2] + "\n", id="no origin"),
    ],
)
def test_checkpoint_is_exactly_origin_size_and_root(text: str) -> None:
    note = f"{text}\n{Signer(bytes(range(32)), 'log.example/province/01').line(text)}".encode()
    with pytest.raises(TamperedError):
        parse_checkpoint(note)


@pytest.mark.parametrize("control", ["\x00", "\x01", "\t", "\r", "\x0b", "\x1f"])
def test_note_holds_no_control_character_but_line_feeds(control: str) -> None:
    text = f"a{control}b\n"
    with pytest.raises(TamperedError, match="control"):
        parse_note(f"{text}\n{KEEPER.line(text)}".encode())


def test_note_that_is_no_utf_8_or_too_long_is_refused() -> None:
    for data in (b"\xff" + NOTE.encode(), b"a" * 200_000 + NOTE.encode()):
        with pytest.raises(TamperedError):
            parse_note(data)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a",
        "a+b",
        LOG_VKEY.replace("fcc6e614", "fcc6e615"),
        LOG_VKEY.replace("fcc6e614", "FCC6E614"),
        LOG_VKEY.replace("province", "provinze"),
        LOG_VKEY.replace("AQOh", "AgOh"),
        LOG_VKEY.removesuffix("TG4"),
        LOG_VKEY + "\n",
        WITNESS_VKEY,
        "\u00e9 x+00000000+AQ==",
    ],
)
def test_what_is_no_ed25519_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(TamperedError):
        Vkey.parse(vkey)


def test_key_whose_base64_holds_a_plus_is_read() -> None:
    signer = next(each for each in (Signer(bytes([n] * 32)) for n in range(256)) if "+" in each.vkey.split("+", 2)[2])
    assert Vkey.parse(signer.vkey).name == signer.name


def test_checkpoint_command_says_who_signed_and_what_it_leaves_open(tmp_path: Path) -> None:
    note = tmp_path / "checkpoint"
    note.write_text(NOTE, encoding="utf-8")
    status, found = verify("checkpoint", note, "--vkey", LOG_VKEY)
    assert (status, found["verdict"], found["size"]) == (0, "ok", 8)
    assert base64.b64decode(found["root"]).hex() == ROOTS[8]
    assert set(found["not_covered"]) == {"rollback"}


def test_checkpoint_by_another_logs_key_is_tampered_and_without_any_key_cannot_be_told(tmp_path: Path) -> None:
    note = tmp_path / "checkpoint"
    note.write_text(NOTE, encoding="utf-8")
    assert verify("checkpoint", note, "--vkey", KEEPER.vkey)[0] == 1
    status, found = verify("checkpoint", note)
    assert (status, found["verdict"]) == (2, "cannot tell")
    assert {"key identity", "rollback"} <= set(found["not_covered"])
    note.write_text(NOTE.replace("8\n", "9\n", 1), encoding="utf-8")
    assert verify("checkpoint", note, "--vkey", LOG_VKEY)[0] == 1


def test_signature_of_the_keepers_key_under_another_logs_origin_does_not_count(tmp_path: Path) -> None:
    text = TEXT.replace("01", "02", 1)
    note = tmp_path / "checkpoint"
    note.write_text(f"{text}\n{Signer(bytes(range(32)), 'log.example/province/01').line(text)}", encoding="utf-8")
    assert verify("checkpoint", note, "--vkey", LOG_VKEY)[0] == 1


def test_key_that_is_none_and_a_file_that_is_not_there_are_wrong_usage(tmp_path: Path) -> None:
    assert run_alone("checkpoint", tmp_path / "nothing", "--vkey", LOG_VKEY).returncode == 2
    done = run_alone("checkpoint", tmp_path / "nothing", "--vkey", "no-key")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
