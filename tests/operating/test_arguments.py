"""Arguments of the commands: what is wrong is refused before anything is done, in a line that says what is wanted."""

from importlib.metadata import version
from typing import Final

import pytest

from emulation_saas.__main__ import main

INSTANT: Final = "an instant with its offset, as 2026-11-26T02:15:00+07:00"


@pytest.mark.parametrize(
    ("command", "wrong", "wanted"),
    [
        ("backup take --keep", "0", "a whole number from 1 to 1000"),
        ("backup take --days", "x", "a whole number from 1 to 3650"),
        ("restore --to new --until", "yesterday", INSTANT),
        ("restore --to new --until", "2026-11-26T02:15:00", INSTANT),
        ("export bac-song --out log.tar --from", "0", "a whole number of 1 or more"),
        ("export bac-song --out log.tar --to", "9" * 5_000, "a whole number of 1 or more"),
        ("compare bac-song --with old --to", "-1", "a whole number of 1 or more"),
        ("generate --years", "29", "a whole number from 1 to 28"),
        ("generate --blocs", "1.5", "a whole number from 1 to 9999"),
        ("token ada --hours", "-5", "a whole number from 1 to 8760"),
        ("token ada --hours", "100000000", "a whole number from 1 to 8760"),
        ("token sub", "", "1 to 255 printable characters"),
        ("token sub", " ", "1 to 255 printable characters"),
        ("token sub", "a\nb", "1 to 255 printable characters"),
        ("token sub", "a" * 256, "1 to 255 printable characters"),
    ],
)
def test_wrong_argument_is_told_with_what_is_wanted(
    command: str, wrong: str, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    option = command.rsplit(maxsplit=1)[-1]
    with pytest.raises(SystemExit) as ended:
        main([*command.removesuffix(" sub").split(), wrong])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"error: argument {option}: {wanted}, not {wrong!r}")


def test_the_release_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"emulation-saas {version('emulation-saas')}\n")
