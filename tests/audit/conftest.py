"""Where tests of the verifier lay what it reads."""

from pathlib import Path

import pytest

from tests.audit.exports import Exported, Lay


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    """Return how an export is laid into a file."""

    def laid(export: Exported) -> Path:
        path = tmp_path / "log.tar"
        path.write_bytes(export.tar())
        return path

    return laid


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return where the head that was seen last is kept."""
    return tmp_path / "head.json"
