"""Asks the verifier: its own command line, in this process or as the one file that an auditor runs."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from emulation_saas.audit import verifier

FILE: Final = Path(verifier.__file__)


def verify(*arguments: object) -> tuple[int, dict[str, Any]]:
    """Return the exit status of a check, and what it printed for a machine."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = verifier.run(verifier.parser().parse_args([*map(str, arguments), "--json"]))
    return status, json.loads(said.getvalue())


def run_alone(*arguments: object, file: Path = FILE) -> subprocess.CompletedProcess[str]:
    """Run the file by itself: without the package, the environment or the folder that it came from."""
    command = [sys.executable, "-I", str(file), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8", timeout=60)
