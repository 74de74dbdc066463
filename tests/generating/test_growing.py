"""Histories that are copied under other handles (`tests.bench.growing`) are logs like any other."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from emulation_saas.audit.exports import Span, exported
from emulation_saas.audit.signing import Signer, named_vkeys
from emulation_saas.ballots.events import Choice
from emulation_saas.ballots.use_cases import CastVote, CloseBallot
from emulation_saas.generating.provinces import YEAR_NOW, Plan, generate
from emulation_saas.generating.under_way import OPTIONS, QUESTION
from emulation_saas.kernel.ids import BallotId, BlocId
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Codec, MasterKey, Registry
from emulation_saas.log.frontier import Frontier
from emulation_saas.log.keyring import Keyring
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.projecting.folding import NEVER, fold
from emulation_saas.wiring import EVENT_TYPES
from projections import PROJECTIONS
from tests.audit.asking import verify
from tests.bench.growing import BLOCS_A_COPY, grow, growth_of, indexes
from tests.database import superuser
from tests.logs import MASTER_KEY, logs_of

PLAN: Final = Plan(province="sinh", seed=3, blocs=1, years=1)
COPIES: Final = 2


async def test_a_grown_log_verifies_folds_and_goes_on(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    name = urlsplit(database_url).path.removeprefix("/")
    async with (
        open_database(database_url) as database,
        logs_of(database) as logs,
        superuser(server, name) as root,
    ):
        log = await generate(logs, PLAN)
        keyring = Keyring(database, log.province, MasterKey(MASTER_KEY))
        growth = await growth_of(root, log, Codec(Registry(EVENT_TYPES)), keyring)
        head, before = await log.head(), await indexes(root)
        await grow(root, growth, Frontier(head.position, head.frontier), copies=COPIES, say=lambda _: None)
        assert (await log.head()).position == head.position + COPIES * growth.events
        for drop, make in before.values():  # the statements by which a large one is grown
            await root.execute(drop)
            await root.execute(make)
        assert await indexes(root) == before

    async with open_database(database_url) as database, logs_of(database) as logs:
        grown = await logs.find(PLAN.province)
        assert grown is not None
        roster, copy = PLAN.roster(), BlocId(f"khoi-{1 + COPIES * BLOCS_A_COPY:04d}")
        voter = PLAN.bloc(roster, 1).members(YEAR_NOW, at_end=True)[-1]
        ballot = BallotId(f"{copy}-{YEAR_NOW}-bieu-quyet")
        choices = (Choice(question=QUESTION, options=[OPTIONS[0]]),)
        vote = CastVote(copy, YEAR_NOW, ballot, voter.agency, choices)
        await grown.execute(vote, by=Acting(voter.representative))  # the last one: the copy's roll call waited for it
        counted = await grown.execute(CloseBallot(copy, YEAR_NOW, ballot), by=Acting(roster.admin))
        assert len(counted.events) == 2
        recorded = await grown.recorded()
        for projection in PROJECTIONS:
            documents: dict[str, Any] = {}
            fold(projection, documents, recorded)
            assert [document.reason for document in documents.values() if document.stopped_at != NEVER] == []
        file, size = tmp_path / "log.tar", (await grown.head()).position
        with file.open("wb") as out:
            async for piece in exported(Signer(database), grown, Span.of(1, size)):
                out.write(piece)
        (vkey,) = await named_vkeys(grown)
    status, found = verify("export", file, "--vkey", vkey)
    assert (status, found["size"]) == (0, size), found
