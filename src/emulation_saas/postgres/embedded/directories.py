"""The data directory of the embedded database and what lies in it.

```
DATA/                0700 for a user, 0755 for root, if we made it
  lock               held by launcher and server; the server's processes inherit it
  pg/                PGDATA, 0700, the database user's
  socket/            0700, the database user's (or `socket-directory` names where it lies instead)
  secrets/           0700, the caller's: roles.pgpass, backup.pgpass, superuser.pgpass
  provisioned        digest of the roles last set up
  startup.log        what the server said before its own log was open
```
"""

import fcntl
import os
import secrets
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emulation_saas.kernel.durable import sync_folder
from emulation_saas.postgres.embedded.faults import AlreadyRunsError, EmbeddedPostgresError
from emulation_saas.postgres.embedded.identity import DatabaseUser
from emulation_saas.postgres.embedded.postmaster import read_pid_file
from emulation_saas.postgres.server import BACKUP_ROLE, LOGIN_ROLES

SUPERUSER: Final = "postgres"
SOCKET_PATH_BYTES_MAX: Final = 88  # the kernel takes 107 on Linux, 103 on macOS, `/.s.PGSQL.5432` included
LOCK_GRACE_S: Final = 2.0  # a server whose launcher has just been killed needs a moment to say that it is stopping
LOCK_STOPPING_S: Final = 90.0
ROOT_DATA: Final = Path("/var/lib/emulation-saas")


def default_data_directory() -> Path:
    """Return where the data lies when nobody said: under the user's own data, or `/var/lib` for root."""
    if os.geteuid() == 0:
        return ROOT_DATA
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "emulation-saas"


@dataclass(frozen=True)
class DataDirectory:
    """Paths under one data directory."""

    root: Path

    @property
    def cluster(self) -> Path:
        """PGDATA."""
        return self.root / "pg"

    @property
    def roles_passfile(self) -> Path:
        """The secrets of the four login roles, for the service."""
        return self.root / "secrets" / "roles.pgpass"

    @property
    def backup_passfile(self) -> Path:
        """The secret of the role that copies the server."""
        return self.root / "secrets" / "backup.pgpass"

    @property
    def superuser_passfile(self) -> Path:
        """The superuser's secret, for setting up roles and for tests; never handed to a worker."""
        return self.root / "secrets" / "superuser.pgpass"

    def create(self) -> None:
        """Make what is missing, leaving whatever exists as it is.

        Raises:
            EmbeddedPostgresError: the place cannot be written.
        """
        try:
            mode = 0o755 if os.geteuid() == 0 else 0o700
            self.root.mkdir(mode=mode, parents=True, exist_ok=True)
            self.roles_passfile.parent.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            message = f"the data directory {self.root} cannot be made: {error.strerror}"
            raise EmbeddedPostgresError(message) from error

    def lock(self) -> int:
        """Take the lock and return its file descriptor, which the server inherits.

        Waits for a server that is already stopping, since its launcher may have been killed a moment ago.

        Raises:
            AlreadyRunsError: another server runs on this directory.
        """
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        began_s = time.monotonic()
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waited_s = time.monotonic() - began_s
                said = read_pid_file(self.cluster)
                stopping = said is not None and said.status == "stopping"
                if waited_s > (LOCK_STOPPING_S if stopping else LOCK_GRACE_S):
                    os.close(descriptor)
                    message = f"another database already runs on {self.root}; stop it or choose another data directory"
                    raise AlreadyRunsError(message) from None
                time.sleep(0.05)
            else:
                return descriptor

    def create_secrets(self) -> None:
        """Write passwords nobody has chosen, once. They are wildcards in host and database: tests clone databases."""
        for passfile, roles in (
            (self.superuser_passfile, (SUPERUSER,)),
            (self.roles_passfile, LOGIN_ROLES),
            (self.backup_passfile, (BACKUP_ROLE,)),
        ):
            if not passfile.exists():
                lines = "".join(f"*:*:*:{role}:{secrets.token_urlsafe(32)}\n" for role in roles)
                write_private(passfile, lines)

    def secrets(self) -> dict[str, str]:
        """Return role -> password."""
        passfiles = (self.superuser_passfile, self.roles_passfile, self.backup_passfile)
        lines = [line for passfile in passfiles for line in passfile.read_text(encoding="utf-8").splitlines()]
        return {role: secret for _, _, _, role, secret in (line.split(":") for line in lines)}

    def socket_directory(self, user: DatabaseUser) -> Path:
        """Return a directory closed to others where `user` can make a socket whose path is short enough.

        Prefers `DATA/socket`. When the data directory is too deep or closed to `user`, a directory with a random name
        under the runtime directory serves, and is found again by `DATA/socket-directory`. A directory that is not the
        database user's own and closed is never used, whoever put it there.

        Raises:
            EmbeddedPostgresError: no place is short enough.
        """
        beside = self.root / "socket"
        if _fits(beside) and user.can_reach(self.root):
            if not beside.exists():
                beside.mkdir(mode=0o700)
                user.give(beside)
            if _is_private(beside, user):
                return beside
        remembered = self.root / "socket-directory"
        if remembered.exists():
            known = Path(remembered.read_text(encoding="utf-8").strip())
            if _fits(known) and _is_private(known, user):
                return known
        made = _private_directory(user)
        remembered.unlink(missing_ok=True)
        write_private(remembered, f"{made}\n")
        return made


def write_private(path: Path, text: str, *, user: DatabaseUser | None = None) -> None:
    """Create a 0600 file whole or not at all, on the disk on return, readable by the caller, or by `user` alone."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        if user is not None and user.switched:
            os.fchown(descriptor, user.uid, user.gid)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    partial.rename(path)
    sync_folder(path.parent)


def _private_directory(user: DatabaseUser) -> Path:
    runtime = "/run" if user.switched else os.environ.get("XDG_RUNTIME_DIR", "")
    for place in (runtime, tempfile.gettempdir(), "/tmp"):  # noqa: S108 - mkdtemp makes a name nobody can foresee
        parent = Path(place)
        longest = parent / f"emulation-saas-{'x' * 8}"
        if place and parent.is_dir() and os.access(parent, os.W_OK) and _fits(longest) and user.can_reach(parent):
            made = Path(tempfile.mkdtemp(prefix="emulation-saas-", dir=parent))
            user.give(made)
            return made
    message = "no directory for the database socket is short enough: set TMPDIR to a short path"
    raise EmbeddedPostgresError(message)


def _fits(path: Path) -> bool:
    """Tell whether the path suits a socket: short, and without the comma that separates hosts in a URL."""
    return len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX and "," not in str(path)


def _is_private(path: Path, user: DatabaseUser) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    closed = stat.S_ISDIR(status.st_mode) and not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return closed and status.st_uid == user.uid
