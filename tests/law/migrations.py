"""What a migration may do while the service is at work, and the release before it beside this one: expand and contract.

`pre` only adds, in ways that hold a lock for a moment and read no table; `post` may take away what the release before
needed. What is not known to be harmless is a fault: whoever has a reason states it in `REASONS` of the test.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

_TOKEN: Final = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$|;", re.DOTALL)
_NAME: Final = r"(?:ONLY\s+)?(?P<name>[\w.]+)"

# Constant, so that PostgreSQL keeps it once instead of writing it into every row.
_DEFAULT: Final = r"DEFAULT (?:'[^']*'|-?[0-9]+|true|false)"
# Each of these holds the strongest lock on its table for a moment, and neither reads nor rewrites it.
_BRIEF: Final = (
    rf"ADD COLUMN \w+ (?!\w*serial)[\w\[\]]+(?: COLLATE \"C\")?(?: {_DEFAULT}(?: NOT NULL)?| NOT NULL {_DEFAULT})?",
    r"ADD CONSTRAINT \w+ (?:CHECK|FOREIGN KEY) .* NOT VALID",
    r"VALIDATE CONSTRAINT \w+",  # reads the table, but under a lock that stops no append
    r"ALTER COLUMN \w+ (?:SET DEFAULT .*|DROP DEFAULT|DROP NOT NULL|SET STORAGE \w+|SET STATISTICS \d+)",
    r"(?:SET|RESET) \(.*\)",
    r"(?:ENABLE|FORCE) ROW LEVEL SECURITY",
)
_TAKES_AWAY: Final = (r"DROP COLUMN (?:IF EXISTS )?\w+", r"DROP CONSTRAINT (?:IF EXISTS )?\w+")
# What makes something new, or changes what only the catalogue knows.
_ADDS: Final = (
    r"CREATE TABLE .*",
    r"CREATE SCHEMA .*",
    r"CREATE FUNCTION .*",
    r"COMMENT ON .*",
    r"GRANT .*",
    r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS .*",
)
_REMOVES: Final = (
    r"DROP TABLE .*",
    r"DROP FUNCTION .*",
    r"DROP POLICY .*",
    r"DROP SCHEMA .*",
    r"REVOKE .*",
    r"DROP INDEX CONCURRENTLY IF EXISTS .*",
)


def statements_of(script: str) -> list[str]:
    """Return the statements of a script on a line each, without comments."""
    found: list[str] = [""]
    end = 0
    for token in _TOKEN.finditer(script):
        found[-1] += script[end : token.start()]
        end = token.end()
        if token[0] == ";":
            found.append("")
        elif not token[0].startswith("--"):
            found[-1] += token[0]
    found[-1] += script[end:]
    return [line for each in found if (line := " ".join(each.split()))]


def faults(scripts: Mapping[str, str]) -> list[str]:
    """Return what migrations do that would hold up the service, or break the release that runs beside it.

    Args:
        scripts: the text of each file by its name, which says whether it is `pre` or `post`; all there are.

    Returns:
        `file: statement`, cut to a readable length.
    """
    found: list[str] = []
    there: set[str] = set()
    for name in sorted(scripts):
        statements = statements_of(scripts[name])
        made = {
            match[1] for line in statements if (match := re.match(r"CREATE TABLE (?:IF NOT EXISTS )?([\w.]+)", line))
        }
        bad = [line for line in statements if not _is_harmless(line, old=there - made, post="_post_" in name)]
        found += [f"{name}: {line[:80]}" for line in bad]
        locked = {table for line in statements if (table := _locked(line)) in there - made}
        if len(locked) > 1:  # it would hold the first while it waits for the second
            found.append(f"{name}: locks {', '.join(sorted(filter(None, locked)))} at once")
        if any("CONCURRENTLY" in line for line in statements) and len(statements) > 1:
            found.append(f"{name}: CONCURRENTLY stands alone in its file")
        if _adds_and_validates(statements):
            found.append(f"{name}: a constraint is validated in a file after the one that adds it")
        there |= made
    return found


def _is_harmless(line: str, *, old: set[str], post: bool) -> bool:
    """Tell whether a statement holds nobody up; on a table that the same file makes nobody waits."""
    if _is_one_of(line, _ADDS) or (post and _is_one_of(line, _REMOVES)):
        return True
    if altered := re.fullmatch(rf"ALTER TABLE (?:IF EXISTS )?{_NAME} (?P<actions>.*)", line):
        allowed = _BRIEF + (_TAKES_AWAY if post else ())
        return altered["name"] not in old or all(_is_one_of(each, allowed) for each in _actions(altered["actions"]))
    if policy := re.fullmatch(rf"CREATE POLICY \w+ ON {_NAME} .*", line):
        return policy["name"] not in old or post
    if index := re.fullmatch(rf"CREATE (?:UNIQUE )?INDEX \w+ ON {_NAME} .*", line):
        return index["name"] not in old
    return False


def _is_one_of(text: str, patterns: tuple[str, ...]) -> bool:
    return any(re.fullmatch(pattern, text) for pattern in patterns)


def _actions(text: str) -> Iterator[str]:
    """Give the actions of an ALTER TABLE: what stands between commas outside of parentheses."""
    depth, begin = 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            yield text[begin:place].strip()
            begin = place + 1
    yield text[begin:].strip()


def _locked(line: str) -> str | None:
    """Return the table that a statement locks against everybody."""
    match = re.match(rf"(?:ALTER TABLE (?:IF EXISTS )?|(?:CREATE|DROP) POLICY \w+ ON |DROP TABLE ){_NAME}", line)
    return match["name"] if match else None


def _adds_and_validates(statements: list[str]) -> bool:
    added = {match[1] for line in statements for match in re.finditer(r"ADD CONSTRAINT (\w+)", line)}
    return any(match[1] in added for line in statements for match in re.finditer(r"VALIDATE CONSTRAINT (\w+)", line))
