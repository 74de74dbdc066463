"""The same questions over HTTP: parameters, tags, caching, refusals, and a description that is true."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from emulation_saas.access.events import PersonRegistered, RoleGranted, RoleRevoked
from emulation_saas.http.application import create_app
from emulation_saas.http.keys import KeySource
from emulation_saas.http.reads import Read
from emulation_saas.http.tokens import TrustedIssuer, Verifier
from emulation_saas.kernel.clock import spell_instant, utc_now
from emulation_saas.kernel.ids import OPERATOR, mint_person
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.projecting import Reader, document_routes
from emulation_saas.projecting.rebuild import rebuild
from emulation_saas.settings import Settings
from projections import PROJECTIONS
from projections.standings import Standings
from tests.http.notebook import AUDIENCE, calling, jwks, token
from tests.logs import ISSUER, running_logs
from tests.projections.asking import agency
from tests.projections.histories import BLOCS, YEARS
from tests.projections.live import Place, Tell, place, running, told

HERE = "/v1/provinces/bac-song"
STANDINGS = f"{HERE}/blocs/{BLOCS[0]}/years/{YEARS[0]}/standings"
REVALIDATE = "private, no-cache"


@asynccontextmanager
async def serving(there: Place, folder: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """Lend a client of the documents, calling as the province's administrator."""

    async def reachable() -> None:
        return None

    async def recorded(read: Read) -> None:
        assert read.reason in {"names", "auditor"}

    app = create_app(
        routes=[],
        platform_routes=[],
        documents=document_routes(PROJECTIONS),
        given={"reader": Reader(there.database, wait_max_s=0.1)},
        logs=there.logs,
        verifier=Verifier([TrustedIssuer(issuer=ISSUER, audience=AUDIENCE, keys=KeySource(jwks(folder)))]),
        recorder=recorded,
        settings=Settings(),
        reachable=reachable,
    )
    async with calling(app, None) as client:
        client.headers["authorization"] = f"Bearer {token('admin@bac-song', iss=ISSUER)}"
        yield client


async def test_document_says_its_position_and_is_asked_for_again(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, running(there), serving(there, tmp_path) as client:
        head = await there.tell(*told(31))
        answer = await client.get(STANDINGS, params={"min_position": head})
        while answer.status_code == 503:
            answer = await client.get(STANDINGS, params={"min_position": head})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.headers["log-position"] == str(head)
        assert answer.headers["cache-control"] == REVALIDATE
        assert answer.json()["bloc"] == BLOCS[0]
        tag = answer.headers["etag"]
        again = await client.get(STANDINGS, headers={"if-none-match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert (await client.get(STANDINGS, headers={"if-none-match": '"p1-v1"'})).status_code == 200


async def test_named_past_is_kept_for_ever_and_a_moment_ago_not_at_all(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        head = await there.tell(*told(32))
        parties = await client.get(STANDINGS, params={"as_of": head})
        assert parties.headers["cache-control"] == REVALIDATE, "who may read it today need not tomorrow"
        dated = await client.get(f"{HERE}/agencies", params={"as_of": head})
        assert dated.headers["cache-control"] == REVALIDATE
        on_day = await client.get(f"{HERE}/agencies", params={"as_of": f"{head:025}", "valid_on": "2024-01-30"})
        assert on_day.headers["log-position"] == str(head)
        assert on_day.headers["cache-control"] == "private, max-age=31536000, immutable"
        named = await client.get(STANDINGS.replace("standings", "pledge"), params={"as_of": head})
        assert named.headers["cache-control"] == "no-store"
        await asyncio.sleep(1.1)
        recent = await client.get(HERE, params={"as_of": spell_instant(utc_now())})
        assert (recent.status_code, recent.headers["cache-control"]) == (200, "no-store")
        assert recent.headers["log-position"] == str(head)
        assert (await client.get(HERE)).json()["province"] == "bac-song"


async def test_rights_are_those_of_the_newest_head_before_they_are_denied(database_url: str, tmp_path: Path) -> None:
    ada = mint_person()
    async with (
        place(database_url) as there,
        running_logs(database_url) as elsewhere,
        serving(there, tmp_path) as client,
    ):
        log = await elsewhere.find("bac-song")
        assert log is not None
        await there.tell(*told(34))
        registered = PersonRegistered(person=ada, issuer=ISSUER, sub="ada", name="Ada")
        await there.tell(registered, RoleGranted(person=ada, role="integrator"))
        client.headers["authorization"] = f"Bearer {token('ada', iss=ISSUER)}"
        assert (await client.get(STANDINGS)).status_code == 403
        await log.execute(Tell((RoleGranted(person=ada, role="auditor"),)), by=Acting(OPERATOR))
        assert (await client.get(STANDINGS)).status_code == 200
        async with running(there, [Standings()]):
            revoked = await log.execute(Tell((RoleRevoked(person=ada, role="auditor"),)), by=Acting(OPERATOR))
            await there.reached(revoked.position, [Standings()])
            denied = await client.get(STANDINGS, params={"min_position": revoked.position})
        assert denied.status_code == 403


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{STANDINGS}?as_of=100000", 422, "as-of-beyond-head"),
        (f"{STANDINGS}?as_of=2999-01-01", 422, "as-of-in-future"),
        (f"{STANDINGS}?as_of=soon", 422, "no-such-moment"),
        (f"{STANDINGS}?as_of={'1' * 50}", 422, "malformed-parameter"),
        (f"{STANDINGS}?min_position=100000", 422, "as-of-beyond-head"),
        (f"{STANDINGS}?min_position=-1", 422, "malformed-parameter"),
        (f"{STANDINGS}?min_position={2**53 + 1}", 422, "malformed-parameter"),
        (f"{HERE}/agencies?valid_on=2024-02-30", 422, "malformed-parameter"),
        (f"{HERE}/agencies?cursor=AAAAAAAAAAAA", 422, "bad-cursor"),
        (f"{HERE}/agencies?limit=0", 422, "bad-limit"),
        (f"{HERE}/agencies/khac", 404, "no-such-document"),
        (f"{HERE}/blocs/khac", 404, "no-such-document"),
        (f"{HERE}/blocs/{BLOCS[0]}/years/1947", 404, "no-such-document"),
        (f"{HERE}/blocs/{BLOCS[0]}/years/2201/offices", 404, "no-such-document"),
        (f"{HERE}/blocs/{BLOCS[0]}/years/2000", 404, "no-such-document"),
        ("/v1/provinces/khac/agencies", 404, "no-such-province"),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    database_url: str, tmp_path: Path, path: str, status: int, code: str
) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        await there.tell(*told(33, steps=10))
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert ("retry-after" in answer.headers) == (status == 503)


async def test_who_asks_before_documents_are_there_is_told_to_ask_again(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        await there.tell(*told(33, steps=10))
        await rebuild(there.log, there.database, Standings())
        head = await there.tell(agency("noi-vu-2"))
        answer = await client.get(STANDINGS, params={"min_position": head})
        assert (answer.status_code, answer.json()["code"]) == (503, "projection-behind")
        assert answer.headers["retry-after"] == "1"


async def test_year_at_either_limit_is_looked_for(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        await there.tell(*told(33, steps=0))
        for year in (1948, 2200):
            answer = await client.get(f"{HERE}/blocs/{BLOCS[0]}/years/{year}/offices")
            assert answer.json()["for_year"] == year


async def test_pages_are_walked_over_http(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        await there.tell(*told(34, steps=0))
        first = (await client.get(f"{HERE}/agencies", params={"limit": 3})).json()
        rest = (await client.get(f"{HERE}/agencies", params={"limit": 3, "cursor": first["next"]})).json()
        assert [len(page["agencies"]) for page in (first, rest)] == [3, 1]
        assert "next" not in rest


async def test_description_names_every_question_with_its_answer(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        described = (await client.get("/schema/openapi.json")).json()
        for projection in PROJECTIONS:
            for view in projection.views:
                operation = described["paths"][f"/v1/provinces/{{province}}{view.path}".rstrip("/")]["get"]
                answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
                assert answer["$ref"].endswith(f"/{view.document.__name__}")
                named = {parameter["name"] for parameter in operation["parameters"]}
                assert {"as_of", "min_position"} <= named
                assert ("valid_on" in named) == view.is_dated
                assert ("cursor" in named) == ("limit" in named) == view.is_paged
                assert operation["summary"] == view.summary
        operations = [each["get"]["operationId"] for each in described["paths"].values() if "get" in each]
        assert len(operations) == len(set(operations))
