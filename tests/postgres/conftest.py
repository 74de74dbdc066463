"""A place of its own for each test's server."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory that every user may enter, short enough for a socket; removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="emulation-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
