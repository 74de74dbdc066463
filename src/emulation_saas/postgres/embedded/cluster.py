"""PGDATA itself: how it is initialised and with which command line the server runs on it."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from emulation_saas.kernel.durable import sync_folder
from emulation_saas.postgres.embedded.directories import SUPERUSER, DataDirectory, write_private
from emulation_saas.postgres.embedded.faults import EmbeddedPostgresError
from emulation_saas.postgres.embedded.identity import DatabaseUser
from emulation_saas.postgres.embedded.tether import tethered
from emulation_saas.postgres.server import BACKUP_ROLE

MAJOR: Final = "18"
WORKING_DIRECTORY: Final = "/proc/self/cwd"

# No PG… variable of the caller may bend the server. The library path stays: Python itself may need it (`tether`).
CLEAN_ENVIRONMENT: Final = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C",
    **{name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
}
# Socket only, everybody by password; the socket's directory is closed to others.
HOST_BASED_ACCESS: Final = f"local all all scram-sha-256\nlocal replication {BACKUP_ROLE} scram-sha-256\n"
# While a restored server is given passwords: nobody knows the superuser's that came with it.
ACCESS_AFTER_RESTORE: Final = f"local all {SUPERUSER} trust\n"

# Builtin C.UTF-8 sorts the same on every machine and after every glibc upgrade; Vietnamese order is a stored key.
INITDB_OPTIONS: Final = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--data-checksums",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)

# Given on the command line, so that a newer release of ours changes them without touching PGDATA.
SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "track_commit_timestamp": "on",
    "wal_compression": "pglz",
    "summarize_wal": "on",  # so that a backup may hold only what has changed since the one before
    "max_slot_wal_keep_size": "4GB",  # a forgotten slot costs its consumer, never the disk
    "idle_replication_slot_timeout": "2d",
    "log_lock_waits": "on",
    "log_startup_progress_interval": "2s",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",  # a week, then each day overwrites its namesake
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
}


def initialise(data: DataDirectory, programs: Path, user: DatabaseUser, socket_directory: Path) -> None:
    """Make PGDATA. It gets its name only when it is whole, so a start killed half-way is simply begun again.

    Raises:
        EmbeddedPostgresError: initdb failed; the message ends with what it said.
    """
    partial = data.root / "pg.new"
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(mode=0o700)
    user.give(partial)
    password_file = socket_directory / "initdb-password"
    write_private(password_file, data.secrets()[SUPERUSER], user=user)
    try:
        arguments = [str(programs / "initdb"), "-D", seen_by(user, partial), f"--pwfile={password_file}"]
        argv = tethered([*arguments, *INITDB_OPTIONS], death_signal=signal.SIGKILL, **identity_of(user))
        done = subprocess.run(  # noqa: S603 - our own program and arguments
            argv, check=False, capture_output=True, text=True, cwd=partial, env=CLEAN_ENVIRONMENT
        )
    finally:
        password_file.unlink()
    if done.returncode != 0:
        message = f"the database could not be initialised in {data.cluster}: {(done.stderr or done.stdout).strip()}"
        raise EmbeddedPostgresError(message)
    grant_access(partial, HOST_BASED_ACCESS)
    partial.rename(data.cluster)
    sync_folder(data.cluster.parent)


def grant_access(cluster: Path, access: str) -> None:
    """Say who may log in and how (pg_hba.conf): every release of ours says so itself, of old data, too."""
    descriptor = os.open(cluster / "pg_hba.conf", os.O_RDWR | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        if file.read() != access:
            file.seek(0)
            file.truncate()
            file.write(access)
            file.flush()
            os.fsync(descriptor)


def check_major(cluster: Path) -> None:
    """Refuse a PGDATA of another major version, which the server would refuse less clearly.

    Raises:
        EmbeddedPostgresError: the data is not of this version.
    """
    written_by = (cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
    if written_by != MAJOR:
        message = (
            f"{cluster} was written by PostgreSQL {written_by}, this is {MAJOR}: run pg_upgrade or dump and restore"
        )
        raise EmbeddedPostgresError(message)


def server_command(
    cluster: Path, programs: Path, user: DatabaseUser, socket_directory: Path, settings: Mapping[str, str]
) -> list[str]:
    """Return the argv of the server, tied to us: it stops fast (SIGINT) when we die. `settings` go before ours."""
    settings = {**SETTINGS, **settings, "unix_socket_directories": str(socket_directory)}
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    program = [str(programs / "postgres"), "-D", seen_by(user, cluster), *options]
    return tethered(program, death_signal=signal.SIGINT, **identity_of(user))


def seen_by(user: DatabaseUser, directory: Path) -> str:
    """Return the path by which `user` reaches `directory`, in which its process starts.

    A directory whose parents are closed to the database user (root's `mktemp -d`) is reached by the working directory
    that root gives to the process; otherwise root's data could only lie in places open to others.
    """
    return str(directory) if user.can_reach(directory) else WORKING_DIRECTORY


def identity_of(user: DatabaseUser) -> dict[str, int]:
    """Return what `tethered` needs to become `user`; nothing when the caller is that user."""
    return {"uid": user.uid, "gid": user.gid} if user.switched else {}
