"""What `postmaster.pid` says, and how far to believe it.

The file survives a crash and its pid may by then belong to anybody. So it is read, never obeyed: a server of ours is
known by the lock it holds, and a stranger who merely has the pid is neither signalled nor allowed to block the start.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PID_FILE: Final = "postmaster.pid"
STATUS_LINE: Final = 7
START_TOLERANCE_S: Final = 10.0


@dataclass(frozen=True)
class PidFile:
    """The lines of the file that we use. `status` is '' until the server has written one."""

    pid: int
    started_at_s: int
    status: str


def read_pid_file(cluster: Path) -> PidFile | None:
    """Return what the file says; None when there is none or it is not whole yet."""
    try:
        lines = (cluster / PID_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
        status = lines[STATUS_LINE].strip() if len(lines) > STATUS_LINE else ""
        return PidFile(pid=abs(int(lines[0])), started_at_s=int(lines[2]), status=status)
    except (FileNotFoundError, IndexError, ValueError):
        return None


def is_stranger(said: PidFile) -> bool:
    """Tell whether the pid now belongs to a living process that surely is not the server that wrote the file.

    Judged by the program's name and by its start time, which are open to every user. In doubt False: then PostgreSQL
    itself judges its lock, which it does well except that it takes any living process of the same user for itself.
    """
    process = Path("/proc", str(said.pid))
    try:
        name = (process / "comm").read_text(encoding="utf-8").strip()
        started_at_s = _started_at_s((process / "stat").read_text(encoding="utf-8"))
    except (OSError, IndexError, ValueError):
        return False
    return name != "postgres" or abs(started_at_s - said.started_at_s) > START_TOLERANCE_S


def _started_at_s(stat: str) -> float:
    """Return the start as a Unix time. The name in the second field may hold anything, so count from its end."""
    ticks = int(stat.rpartition(")")[2].split()[19])
    boot = next(line for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines() if line[:6] == "btime ")
    return int(boot.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
