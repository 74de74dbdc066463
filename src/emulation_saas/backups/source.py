"""The server that is copied, as the role for copies reaches it: by the replication protocol, in no database."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from emulation_saas.backups.faults import BackupError
from emulation_saas.backups.tools import OLDEST_MAJOR, any_psql, places, run, tools_of
from emulation_saas.postgres.server import BACKUP_ROLE, VERSION_MAJOR_FACTOR, role_dsn

APPLICATION: Final = "emulation_stream"
"""The name of the stream among the server's standbys."""
_END: Final = re.compile(r"^.*?\b(\d+)\t([0-9A-F]+)/([0-9A-F]+)\t", re.MULTILINE)
"""A line of a timeline's history: which one, and where it ended."""
_TLS_MODES: Final = frozenset({"require", "verify-ca", "verify-full"})


@dataclass(frozen=True)
class Source:
    """A server that answers."""

    dsn: str
    """For a tool's `--dbname`: it holds no password."""
    environment: Mapping[str, str] = field(repr=False)
    tools: Path
    """The directory of the tools of its version."""
    system: str
    """What tells it from every other server; its copies and what is restored from them bear the same."""
    timeline: int
    """Which history it writes: each server that takes over begins another."""

    def ends(self) -> dict[int, int]:
        """Return where each history ended that led to its own: a byte of the log, by timeline.

        Raises:
            BackupError: it does not say.
        """
        if self.timeline == 1:
            return {}
        history = _asked(self.tools / "psql", self.dsn, self.environment, f"TIMELINE_HISTORY {self.timeline}")
        return {int(timeline): int(high, 16) << 32 | int(low, 16) for timeline, high, low in _END.findall(history)}


def source_at(url: str, among: Sequence[Path] | None = None) -> Source:
    """Ask a server what it is.

    Args:
        url: the base URL, without a user.
        among: where its tools may lie; None: those of the embedded server first.

    Raises:
        BackupError: it does not answer, refuses the role, or the tools of its version are missing or without the TLS
            that the URL asks for.
    """
    among, over_tls = places() if among is None else among, _asks_for_tls(url)
    dsn, environment = _without_password(role_dsn(url, BACKUP_ROLE))
    psql = any_psql(among, over_tls=over_tls)
    identified, version = _asked(psql, dsn, environment, "IDENTIFY_SYSTEM", "SHOW server_version_num").split()
    major = int(version) // VERSION_MAJOR_FACTOR
    if major < OLDEST_MAJOR:
        raise BackupError(f"PostgreSQL {major} is not supported: use {OLDEST_MAJOR} or later")
    tools = tools_of(major, among, over_tls=over_tls)
    system, timeline, *_ = identified.split("|")
    return Source(_with(dsn, application_name=APPLICATION), environment, tools, system, int(timeline))


def _asked(psql: Path, dsn: str, environment: Mapping[str, str], *commands: str) -> str:
    """Return what a server answers to commands of the replication protocol."""
    return run(
        *(psql, "--no-psqlrc", "--no-password", "--tuples-only", "--no-align"),
        f"--dbname={_with(dsn, replication='true', connect_timeout='10')}",
        *(f"--command={command}" for command in commands),
        failing=f"the database does not let {BACKUP_ROLE} copy it (see deploy/runbooks/backup.md)",
        environment=environment,
    )


def _asks_for_tls(url: str) -> bool:
    asked = dict(parse_qsl(urlsplit(url).query))
    return asked.get("sslmode") in _TLS_MODES or asked.get("sslrootcert") == "system"


def _without_password(dsn: str) -> tuple[str, dict[str, str]]:
    """Return the same without its password, and an environment that holds it."""
    parts = urlsplit(dsn)
    if parts.password is None:
        return dsn, {}
    user, _, address = parts.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}@{address}"
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, "")), {"PGPASSWORD": unquote(parts.password)}


def _with(dsn: str, **parameters: str) -> str:
    parts = urlsplit(dsn)
    query = urlencode([*parse_qsl(parts.query), *parameters.items()])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
