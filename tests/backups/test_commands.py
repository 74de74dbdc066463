"""`emulation-saas backup`, `restore` and `compare`, as an operator runs them on the embedded database."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulation_saas.kernel.clock import utc_now
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.logs import keep_master_key, open_province, register, running_logs


@dataclass(frozen=True)
class Place:
    """A data directory with a province in it, and room for its backups."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    def run(self, *arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EMULATION_")}
        environment |= {"EMULATION_DATA": str(self.data), "EMULATION_BACKUPS": str(self.backups)}
        command = [sys.executable, "-m", "emulation_saas", *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == code, done.stderr
        return done

    def told(self, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.run(*arguments, "--json", code=code).stdout)
        return answer
