"""Asking over HTTP why, what changed and what if: a served province, with any history told into it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from emulation_saas.http.application import create_app
from emulation_saas.http.keys import KeySource
from emulation_saas.http.shares import Places, places_for_questions
from emulation_saas.http.tokens import TrustedIssuer, Verifier
from emulation_saas.privacy.access_log import AccessLog
from emulation_saas.projecting import Reader, document_routes
from emulation_saas.projecting.finding import Finder
from emulation_saas.projecting.supposing import Supposer
from emulation_saas.projecting.travel_routes import TRAVEL_ROUTES
from emulation_saas.settings import Settings
from emulation_saas.wiring import require_sound
from projections import PROJECTIONS
from tests.http.notebook import AUDIENCE, calling, jwks, token
from tests.logs import ISSUER
from tests.projections.histories import AGENCIES, BLOCS, YEARS
from tests.projections.live import Place

HERE = "/v1/provinces/bac-song"
YEAR = f"/blocs/{BLOCS[0]}/years/{YEARS[0]}"
STANDINGS = f"{YEAR}/standings"
PATHS = [
    "/",
    "/agencies",
    f"/agencies/{AGENCIES[0]}",
    "/blocs",
    f"/blocs/{BLOCS[0]}",
    f"/blocs/{BLOCS[0]}/offices",
    f"/blocs/{BLOCS[0]}/years",
    YEAR,
    *(f"{YEAR}/{name}" for name in ("pledge", "offices", "standings", "ratings", "ballots", "nominations", "timeline")),
    f"{YEAR}/deadlines",
    "/deadlines",
    f"{YEAR}/disputes",
    f"{YEAR}/disputes/d-0",
    f"{YEAR}/ballots/b-0/tally",
]
"""One for each view."""
RICH = 325
"""The seed of a history that has something to say in each of these."""


@asynccontextmanager
async def serving(
    there: Place, folder: Path, sub: str = "admin@bac-song", *, questions: Places | None = None
) -> AsyncGenerator[httpx.AsyncClient]:
    """Lend a client of the province's documents and of the questions about them."""

    async def reachable() -> None:
        return None

    finder, questions = Finder(there.database, PROJECTIONS), questions or places_for_questions()
    app = create_app(
        routes=[],
        platform_routes=[],
        documents=[*document_routes(PROJECTIONS), *TRAVEL_ROUTES],
        given={
            "reader": Reader(there.database, PROJECTIONS, questions, wait_max_s=0.1),
            "finder": finder,
            "questions": questions,
            "supposer": Supposer(finder, require_sound),
        },
        logs=there.logs,
        verifier=Verifier([TrustedIssuer(issuer=ISSUER, audience=AUDIENCE, keys=KeySource(jwks(folder)))]),
        recorder=AccessLog(there.logs, there.database).record,
        settings=Settings(),
        reachable=reachable,
    )
    async with calling(app, None) as client:
        client.headers["authorization"] = f"Bearer {token(sub, iss=ISSUER)}"
        yield client
