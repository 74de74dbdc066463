"""The commands of `deploy/README.md` can be followed: what they copy is there, where they put it is, and it starts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
PAGES: Final = [DEPLOY / "README.md", DEPLOY / "runbooks" / "backup.md"]
UNITS: Final = sorted((DEPLOY / "systemd").iterdir())
THERE: Final = {Path(each) for each in ("/etc/systemd/system", "/etc/nginx/conf.d", "/etc/default")}
"""Directories that Debian's packages make."""
OF_THE_READER: Final = {"ca.crt", "server.crt", "server.key", "/dev/null"}


def commands() -> Iterator[list[str]]:
    """Give the words of each command of the pages, in their order."""
    for page in PAGES:
        for block in re.findall(r"^ *```sh\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            for line in re.sub(r"[ (]#.*", "", block).splitlines():
                yield from (command.split() for command in re.split(r"&&|;", line.strip()))


def operands(words: list[str]) -> list[str]:
    """Return what `install` is told beside its options."""
    given = re.sub(r"-(?:d|[mog] \S+)(?= |$)", "", " ".join(words[1:]))
    return given.split()


def test_every_directory_is_there_before_something_is_put_into_it() -> None:
    there, put = {*THERE}, 0
    for words in commands():
        if words[:2] == ["install", "-d"]:
            there |= {Path(each) for each in operands(words)}
            continue
        targets = [Path(words[at + 1].rstrip(")")) for at, word in enumerate(words) if word in {">", ">>"}]
        if words[:1] == ["install"]:
            last = operands(words)[-1]
            targets.append(Path(last) / "file" if last.endswith("/") else Path(last))
        for target in targets:
            put += 1
            assert not target.is_absolute() or target.parent in there, target
    assert put > 15


def test_everything_that_is_installed_is_there() -> None:
    sources = [
        source
        for words in commands()
        if words[:1] == ["install"] and "-d" not in words
        for source in operands(words)[:-1]
        if source not in OF_THE_READER
    ]
    assert len(sources) >= 9
    for source in sources:
        assert [*ROOT.glob(source), *DEPLOY.glob(source)], source


def test_what_is_enabled_starts_after_a_reboot() -> None:
    enabled = {
        name if "." in name else f"{name}.service"
        for words in commands()
        if words[:3] == ["systemctl", "enable", "--now"]
        for name in words[3:]
    }
    installable = {unit.name for unit in UNITS if "\n[Install]\nWantedBy=" in unit.read_text(encoding="utf-8")}
    assert {name for name in enabled if name.startswith("emulation")} == installable


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_that_comes_too_early_is_started_again_for_as_long_as_it_takes(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    assert "Requires=" not in text, "what fails at boot would keep it from ever being started"
    assert ("\nRestart=" in text) is ("\nStartLimitIntervalSec=0\n" in text)
