"""A child that never outlives its parent: run as a script, it ties itself to the parent and becomes the program.

Done by a small program instead of `preexec_fn`, because Python code between fork and exec can dead-lock in a process
with threads. The tie is `PR_SET_PDEATHSIG`; it is set after the uid is dropped, because that clears it, and the
kernel sends it when the *thread* that started the child ends: start children from a thread that lives as long as they.
Systems other than Linux have no such tie; there the child merely becomes the program.
"""

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PR_SET_PDEATHSIG: Final = 1
KEEP_IDENTITY: Final = "-"


def tethered(program: Sequence[str], *, death_signal: int, uid: int | None = None, gid: int | None = None) -> list[str]:
    """Return the argv that runs `program` so that it gets `death_signal` when the calling process dies.

    Args:
        program: absolute path and arguments.
        death_signal: what the kernel sends it when we are gone.
        uid: whose process it becomes; None keeps ours. Needs root.
        gid: its only group; None keeps ours.
    """
    identity = [KEEP_IDENTITY if number is None else str(number) for number in (uid, gid)]
    script = str(Path(__file__).resolve())
    return [sys.executable, "-I", "-S", script, str(os.getpid()), str(death_signal), *identity, *program]


def main(arguments: Sequence[str]) -> None:
    """Drop the identity, tie to the parent, become the program."""
    parent, death_signal, uid, gid, *program = arguments
    if gid != KEEP_IDENTITY:
        os.setgroups([])
        os.setgid(int(gid))
    if uid != KEEP_IDENTITY:
        os.setuid(int(uid))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != int(parent):  # it died before the tie was made, so no signal will ever come
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 - no shell is the point; the caller chose the program


if __name__ == "__main__":
    main(sys.argv[1:])
