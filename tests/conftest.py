"""What every test may ask for: the session's server, a database or a directory of its own."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.database import (
    VARIABLE,
    Server,
    drop_database,
    forget_template,
    fresh_database,
    given_server,
    start_database,
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a given server run what asks for a server. Its roles are one set, so there is one process."""
    if given_server() is None:
        return
    if getattr(config.option, "numprocesses", None):
        message = f"with {VARIABLE} tests run in one process: they share the server's roles"
        raise pytest.UsageError(message)
    items[:] = [item for item in items if "server" in getattr(item, "fixturenames", ())]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests of the session: an embedded one with its real settings, or the one that is given."""
    given = given_server()
    if given is not None:
        asyncio.run(forget_template(given))
        yield given
        return
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
async def database_url(server: Server) -> AsyncIterator[str]:
    """A migrated database with nothing in it, for one test; the URL names no user (`role_dsn`)."""
    url = await fresh_database(server)
    yield url
    await drop_database(server, url)
