"""What every test may ask for: the session's server, a database or a directory of its own."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import drop_database, fresh_database, start_database


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres]:
    """One embedded server for all tests of the session, with its real settings."""
    folder = Path(tempfile.mkdtemp(prefix="emulation-tests-"))
    folder.chmod(0o755)  # for root, whose server runs as another user
    running = start_database(folder)
    yield running
    running.stop()
    shutil.rmtree(folder)


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory that every user may enter, short enough for a socket; removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="emulation-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def database_url(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """A migrated database with nothing in it, for one test; the URL names no user (`role_dsn`)."""
    url = await fresh_database(server)
    yield url
    await drop_database(server, url)
