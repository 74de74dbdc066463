"""The README tells the truth: its tables are those of the code, its stops exist, its commands are there."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.law.readme_tables import README, every_rejection, written

ROOT = README.parent
TEXT = README.read_text(encoding="utf-8")


def test_tables_are_those_of_the_code() -> None:
    assert written(TEXT) == TEXT, "run: python -m tests.law.readme_tables"


def test_each_stop_of_one_vote_exists() -> None:
    section = TEXT.partition("## The way of one vote")[2].partition("\n## ")[0]
    stops = re.findall(r"^\d+\. ", section, re.MULTILINE)
    files = re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.(?:py|sql))`(?: \(`([A-Za-z_.0-9]+)`)?", section)
    assert len(stops) == 11
    assert len(files) >= len(stops)
    for path, name in files:
        found = [folder / path for folder in (ROOT, ROOT / "src/emulation_saas") if (folder / path).exists()]
        assert found, f"{path} is no file"
        last = name.rpartition(".")[2]
        assert last in found[0].read_text(encoding="utf-8"), f"{name} is not in {path}"


def test_each_command_is_there() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "emulation_saas", "--help"], capture_output=True, text=True, check=True
    )
    for command in re.findall(r"^emulation-saas ([a-z]+)", TEXT, re.MULTILINE):
        assert re.search(rf"^ +{command} ", told.stdout, re.MULTILINE), command


def test_the_example_is_the_program() -> None:
    program = (ROOT / "src/emulation_saas/client/__main__.py").read_text(encoding="utf-8")
    (quoted,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert program.endswith(quoted)


def test_each_make_target_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make ([a-z]+)", TEXT, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_each_code_means_one_thing() -> None:
    counts = Counter(line.strip() for path in Path(ROOT / "src").rglob("*.py") for line in _code_lines(path))
    assert not [line for line, count in counts.items() if count > 1]
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each.code) for each in every_rejection())


def _code_lines(path: Path) -> list[str]:
    return re.findall(r'^    code = ".*"$', path.read_text(encoding="utf-8"), re.MULTILINE)
