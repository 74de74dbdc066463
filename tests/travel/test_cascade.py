"""What an event led to goes with it in a cascade, through whatever lies between; strictly, it stays and is told."""

from pathlib import Path

from emulation_saas.kernel.ids import BlocId
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.years.events import YearLaunched
from tests.database import superuser
from tests.projections.histories import BLOCS, YEARS
from tests.projections.live import place, told
from tests.travel.asked import STANDINGS, serving
from tests.travel.test_diff import appraised
from tests.travel.test_what_if import supposed


async def led_to(server: EmbeddedPostgres, database_url: str, causes: dict[int, int]) -> None:
    """Write into stored events which other event led to them, as a command that names its cause does."""
    async with superuser(server, database_url.partition("?")[0].rpartition("/")[2]) as connection:
        await connection.execute("SET session_replication_role = replica")
        for position, cause in causes.items():
            body = await connection.fetchval("SELECT body FROM events WHERE position = $1", position)
            named = body.replace(b'"commandid"', b'"causationid":"%d","commandid"' % cause, 1)
            await connection.execute("UPDATE events SET body = $2 WHERE position = $1", position, named)


async def test_cascade_drops_what_was_led_to_and_strict_tells_of_it(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        begin = await there.tell(*told(11, steps=0))
        elsewhere = YearLaunched(bloc=BlocId(BLOCS[0]), year=YEARS[0], text="x")  # no event of the standings
        await there.tell(
            appraised("noi-vu", "10"), elsewhere, appraised("noi-vu", "5"), appraised("tu-phap", "8"), elsewhere
        )
        first, between, after, apart = begin + 1, begin + 2, begin + 3, begin + 4
        await led_to(server, database_url, {between: first, after: between, begin + 5: apart})
        history = {each.position: each.causation for each in await there.history()}
        assert (history[first], history[between], history[after]) == (None, first, between)

        cascade = await supposed(client, STANDINGS, without=[first], mode="cascade")
        assert (cascade["dropped"], cascade["violations"]) == ([first, after], [])
        assert [row["agency"] for row in cascade["document"]["standings"]] == ["tu-phap"]
        strict = await supposed(client, STANDINGS, without=[first])
        assert (strict["dropped"], strict["violations"]) == ([first], [])
        assert strict["patch"] == []
        direct = await supposed(client, STANDINGS, without=[between])
        reason = f"it was led to by {between}, which is missing"
        assert (direct["dropped"], direct["violations"]) == ([between], [{"position": after, "reason": reason}])
        through = await supposed(client, STANDINGS, without=[between], mode="cascade")
        assert through["dropped"] == [between, after]
        assert through["document"]["standings"][0]["points"] == "10"
        outside = await supposed(client, STANDINGS, without=[apart], mode="cascade")
        assert outside["dropped"] == [apart]
