"""Whose process the server is: an ordinary user's own, or for root an unprivileged user with a passwd entry."""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emulation_saas.postgres.embedded.faults import EmbeddedPostgresError

OWN_USER: Final = "emulation-saas-pg"


@dataclass(frozen=True)
class DatabaseUser:
    """The user that the server runs as. `switched` is true when that is not the caller."""

    name: str
    uid: int
    gid: int
    switched: bool

    def give(self, path: Path) -> None:
        """Hand a file or directory that we just created to this user."""
        if self.switched:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can_reach(self, directory: Path) -> bool:
        """Tell whether this user may walk to `directory` and into it, by the mode bits of it and of all its parents."""
        return all(self._may_enter(step) for step in (directory, *directory.parents))

    def _may_enter(self, directory: Path) -> bool:
        status = directory.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def database_user(cluster: Path, *, wanted: str | None, report: Callable[[str], None]) -> DatabaseUser:
    """Choose the user of the server.

    Root gives it to `wanted`, else to the owner of an existing cluster, else to `postgres`, else to a system user
    created for it. `nobody` is the last resort, as it shares its identity with whatever else runs as nobody.

    Args:
        cluster: PGDATA; need not exist yet.
        wanted: `--db-user`.
        report: told when a user is created.

    Raises:
        EmbeddedPostgresError: no such user, or an ordinary user asks for another identity.
    """
    caller = os.geteuid()
    if caller != 0:
        return _own_identity(caller, cluster, wanted)
    if wanted is not None:
        return _switched_to(wanted)
    if cluster.is_dir():
        return _switched_to(_name_of(cluster.stat().st_uid))
    for name in ("postgres", OWN_USER):
        if _exists(name):
            return _switched_to(name)
    if _create(OWN_USER):
        report(f"created the system user {OWN_USER} for the database, because PostgreSQL refuses to run as root")
        return _switched_to(OWN_USER)
    report("no user could be created for the database; it runs as nobody, which other services may share")
    return _switched_to("nobody")


def _own_identity(caller: int, cluster: Path, wanted: str | None) -> DatabaseUser:
    name = _name_of(caller)
    if wanted not in {None, name}:
        message = f"the database can run as {wanted} only when started by root; you are {name}"
        raise EmbeddedPostgresError(message)
    if cluster.is_dir() and cluster.stat().st_uid != caller:
        message = (
            f"{cluster} belongs to {_name_of(cluster.stat().st_uid)}, not to {name}; choose another data directory"
        )
        raise EmbeddedPostgresError(message)
    return DatabaseUser(name=name, uid=caller, gid=os.getegid(), switched=False)


def _switched_to(name: str) -> DatabaseUser:
    if not _exists(name):
        message = f"there is no user {name} on this machine; create it or name another one"
        raise EmbeddedPostgresError(message)
    entry = pwd.getpwnam(name)
    if entry.pw_uid == 0:
        message = "PostgreSQL refuses to run as root; name an unprivileged user for the database"
        raise EmbeddedPostgresError(message)
    return DatabaseUser(name=name, uid=entry.pw_uid, gid=entry.pw_gid, switched=True)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        message = f"user id {uid} has no passwd entry, and PostgreSQL refuses to run without one; add it"
        raise EmbeddedPostgresError(message) from None


def _exists(name: str) -> bool:
    return any(entry.pw_name == name for entry in pwd.getpwall())


def _create(name: str) -> bool:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return False
    command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - fixed arguments
