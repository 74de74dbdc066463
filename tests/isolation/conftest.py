"""A connection that may look at, and spoil, the whole catalogue of the test's database."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import superuser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.database import Connection


@pytest.fixture
async def administrator(server: EmbeddedPostgres, database_url: str) -> "AsyncIterator[Connection]":
    """A superuser's connection to the test's own migrated database."""
    async with superuser(server, urlsplit(database_url).path.removeprefix("/")) as connection:
        yield connection
