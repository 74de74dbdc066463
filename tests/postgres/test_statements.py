"""Statement files say what they hold, and the loader believes none that does not."""

import importlib
import sys
from pathlib import Path

import pytest

from emulation_saas.postgres.statements import BadStatementError, load_statements

GOOD = "-- find_it(province_id, key)\n-- Why it is so.\nSELECT 1 FROM t WHERE province_id = $1 AND key = $2;\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> tuple[str, Path]:
    """A package of its own for each test, as an imported one is remembered; and its folder of statements."""
    name = f"statements_of_test_{abs(hash(request.node.nodeid))}"
    folder = tmp_path / name / "sql"
    folder.mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    importlib.invalidate_caches()
    return name, folder


def test_statements_are_found_by_the_names_of_their_files(package: tuple[str, Path]) -> None:
    name, folder = package
    (folder / "find_it.sql").write_text(GOOD, encoding="utf-8")
    (folder / "all_of_it.sql").write_text("-- all_of_it()\nSELECT 1;\n", encoding="utf-8")
    (folder / "README.md").write_text("no statement", encoding="utf-8")
    assert load_statements(name) == {"find_it": GOOD, "all_of_it": "-- all_of_it()\nSELECT 1;\n"}


def test_a_parameter_may_be_used_twice(package: tuple[str, Path]) -> None:
    name, folder = package
    text = "-- find_it(province_id)\nSELECT 1 FROM t, u WHERE t.province_id = $1 AND u.province_id = $1;\n"
    (folder / "find_it.sql").write_text(text, encoding="utf-8")
    assert load_statements(name)["find_it"] == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT 1;\n",
        "\n-- find_it()\nSELECT 1;\n",
        "-- find_other()\nSELECT 1;\n",
        "-- find_it\nSELECT 1;\n",
        "-- find_it() finds it\nSELECT 1;\n",
        "-- find_it(province_id)\nSELECT 1;\n",
        "-- find_it()\nSELECT $1;\n",
        "-- find_it(province_id)\nSELECT $1, $2;\n",
        "-- find_it(province_id, key)\nSELECT $1;\n",
        "-- find_it(province_id, key)\nSELECT $2;\n",
        "-- find_it(province_id)\nSELECT $2;\n",
        "-- find_it(province_id)\nSELECT $0, $1;\n",
        "-- find_it(province_id,key)\nSELECT $1, $2;\n",
        "-- Find_It()\nSELECT 1;\n",
    ],
)
def test_a_heading_that_does_not_fit_is_refused(package: tuple[str, Path], text: str) -> None:
    name, folder = package
    (folder / "find_it.sql").write_text(text, encoding="utf-8")
    with pytest.raises(BadStatementError, match="find_it"):
        load_statements(name)


def test_one_wrong_file_spoils_the_folder(package: tuple[str, Path]) -> None:
    name, folder = package
    (folder / "find_it.sql").write_text(GOOD, encoding="utf-8")
    (folder / "wrong.sql").write_text(GOOD, encoding="utf-8")
    with pytest.raises(BadStatementError, match="wrong"):
        load_statements(name)
