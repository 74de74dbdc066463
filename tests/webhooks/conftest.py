"""What the tests of webhooks share."""

from collections.abc import AsyncIterator

import pytest

from tests.webhooks.receiving import Authority, authorities


@pytest.fixture
async def authority() -> AsyncIterator[Authority]:
    """A certificate authority that senders trust."""
    async with authorities() as made:
        yield made
