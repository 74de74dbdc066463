"""A short form of `make rolling`, behind the small proxy: two replicas restarted in turn while they are asked."""

from argparse import Namespace
from pathlib import Path

from tests.deploy.balancing import balanced
from tests.deploy.rolling import FAULTS, rolled, running
from tests.serving import Served


async def test_nobody_notices_that_replicas_are_restarted(database_url: str, place: Path) -> None:
    replicas = [Served(place, workers=1, database_url=database_url, name=f"replica-{number}") for number in (1, 2)]
    options = Namespace(rounds=1, writers=2, subscribers=3)
    async with running(replicas), balanced([each.port for each in replicas]) as port:
        seen = await rolled(replicas, f"http://127.0.0.1:{port}", trust=True, options=options, say=print)
    assert {fault: seen[fault] for fault in FAULTS if seen[fault]} == {}
    assert seen["restarts"] == 2
    assert seen["acknowledged"] > 10
