"""SQL lives in `.sql` files, one statement a file, headed by its name and parameters. This loads them.

Loading refuses a heading that does not fit: `-- events_after(province_id, position)` above a statement with `$1`, `$2`.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

_HEADING: Final = re.compile(r"-- (?P<name>[a-z0-9_]+)\((?P<parameters>[a-z0-9_, ]*)\)\n")
_PLACEHOLDER: Final = re.compile(r"\$([0-9]+)")


class BadStatementError(Exception):
    """A statement's file does not say what it holds."""


def load_statements(package: str) -> Mapping[str, str]:
    """Return the statements of a package's `sql` folder by name.

    Raises:
        BadStatementError: a heading names another file, or other parameters than the statement uses.
    """
    folder = files(package) / "sql"
    return {
        entry.name.removesuffix(".sql"): _checked(entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    }


def _checked(name: str, text: str) -> str:
    heading = _HEADING.match(text)
    if heading is None or heading["name"] != name:
        raise BadStatementError(name)
    parameters = [part for part in heading["parameters"].split(", ") if part]
    used = {int(number) for number in _PLACEHOLDER.findall(text)}
    if used != set(range(1, len(parameters) + 1)):
        raise BadStatementError(name)
    return text
