"""A small service for tests: one province without a database, a few routes, an issuer whose key the tests hold."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Final, cast

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from litestar import Litestar, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from emulation_saas.http.application import create_app
from emulation_saas.http.bodies import Body, Line
from emulation_saas.http.keys import KeySource
from emulation_saas.http.paging import Page
from emulation_saas.http.reads import Read, Recorder
from emulation_saas.http.tokens import TrustedIssuer, Verifier
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import PersonId
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog
from emulation_saas.settings import Operator, Settings

ISSUER: Final = "https://id.example"
AUDIENCE: Final = "emulation"
PRIVATE_KEY: Final = Ed25519PrivateKey.generate()
KEY: Final = OKPKey.import_key(PRIVATE_KEY, parameters={"kid": "k1", "use": "sig"})
ADA: Final = PersonId("p-adaadaadaa")
EVENT: Final = (
    '{"actor":"p-adaadaadaa","data":{"note":"đồng ý"},"id":"7","recordedtime":"2024-01-30T02:00:05.123456Z",'
    '"source":"urn:emulation:province:0","specversion":"1.0","time":"2024-01-30T02:00:00Z","type":"note.written.v1"}'
).encode()


def token(sub: str = "ada", *, key: OKPKey = KEY, header: dict[str, Any] | None = None, **claims: object) -> str:
    """Return a token; claims given as None are left out."""
    now = int(time.time())
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": sub, "iat": now, "exp": now + 600} | claims
    said = {name: value for name, value in said.items() if value is not None}
    named = {"alg": "Ed25519", "kid": "k1"} | (header or {})
    registry = JWSRegistry(algorithms=["Ed25519", "HS256", "ES256", "RS256"], strict_check_header=False)
    return jwt.encode(named, said, key, registry=registry)


def jwks(folder: Path, *keys: OKPKey | ECKey | RSAKey) -> str:
    """Write a JWKS file and return its path."""
    path = folder / "jwks.json"
    path.write_bytes(msgspec.json.encode({"keys": [key.as_dict(private=False) for key in keys or (KEY,)]}))
    return str(path)


class NoteBody(Body, frozen=True, kw_only=True):
    """A note."""

    note: Line
    marks: Annotated[tuple[Annotated[int, Meta(ge=0, le=10)], ...], Meta(max_length=5)] = ()


class Notebook(ProvinceLog):
    """A province's log that remembers what it was asked and answers the same each time."""

    def __init__(self, answer: Callable[[], Awaitable[Accepted]] | None = None) -> None:
        self.asked: list[tuple[str, str, Acting]] = []
        self.answer = answer

    async def person_of(self, issuer: str, sub: str) -> PersonId | None:
        return {(ISSUER, "ada"): ADA, (ISSUER, "gone"): PersonId("p-gonegonego")}.get((issuer, sub))

    async def authority(self, person: PersonId, *, is_newest: bool = False, min_position: int = 0) -> Authority:
        del is_newest, min_position
        return Authority(person=person, known=person == ADA)

    async def write(self, note: str, text: str, *, by: Acting) -> Accepted:
        self.asked.append((note, text, by))
        return await self.answer() if self.answer else Accepted(7, [msgspec.Raw(EVENT)])


class Notebooks:
    """All logs: of one province, called bac-song."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook

    async def find(self, handle: str) -> ProvinceLog | None:
        return self.notebook if handle == "bac-song" else None


@post("/notes/{note:str}")
async def write_note(
    note: FromPath[str], data: JSONBody[NoteBody], acting: NamedDependency[Acting], log: NamedDependency[ProvinceLog]
) -> Accepted:
    """Write a note."""
    assert isinstance(log, Notebook)
    return await log.write(note, data.note, by=acting)


@get("/notes")
async def list_notes(authority: NamedDependency[Authority], page: NamedDependency[Page]) -> dict[str, Any]:
    """List notes."""
    return {"person": authority.person, "limit": page.limit, "start": page.start("notes")}


@get("/years/{year:int}")
async def read_year(year: FromPath[int], since: FromQuery[int] = 0) -> dict[str, int]:
    """Read a year."""
    return {"year": year, "since": since}


@get("/stream", media_type="text/event-stream")
async def stream() -> Stream:
    """Stream for longer than some tests let a request take."""

    async def events() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        await asyncio.sleep(0.1)
        yield b"data: 2\n\n"

    return Stream(events(), media_type="text/event-stream")


@post("/provinces")
async def open_province(acting: NamedDependency[Acting], logs: NamedDependency[Any]) -> Response[dict[str, Any]]:
    """Open a province."""
    assert isinstance(logs, Notebooks)
    return Response({"person": acting.person, "key": acting.idempotency_key}, status_code=201)


def little_service(  # noqa: PLR0913 - what a service is made of, each by name
    folder: Path,
    *,
    notebook: Notebook | None = None,
    routes: Sequence[ControllerRouterHandler] = (),
    contract: Sequence[ControllerRouterHandler] = (),
    reachable: Callable[[], Awaitable[None]] | None = None,
    faults: Callable[[], Sequence[str]] = tuple,
    given: dict[str, object] | None = None,
    recorder: Recorder | None = None,
    requests_per_person: int = 200,
) -> Litestar:
    """Return the service around one notebook."""

    async def recorded(read: Read) -> None:
        raise AssertionError(read)

    async def reached() -> None:
        return None

    keys = KeySource(jwks(folder))
    return create_app(
        routes=[write_note, *routes],
        documents=[list_notes, read_year, stream],
        contract=contract,
        platform_routes=[open_province],
        logs=Notebooks(notebook or Notebook()),
        verifier=Verifier([TrustedIssuer(issuer=ISSUER, audience=AUDIENCE, keys=keys)]),
        recorder=recorder or recorded,
        settings=Settings(operators=(Operator(issuer=ISSUER, sub="root"),), requests_per_person=requests_per_person),
        reachable=reachable or reached,
        faults=faults,
        given=given,
    )


@asynccontextmanager
async def calling(app: Litestar, sub: str | None = "ada") -> AsyncGenerator[httpx.AsyncClient]:
    """Lend a client that calls as a subject, or as nobody."""
    headers = {"authorization": f"Bearer {token(sub)}"} if sub else {}
    transport = httpx.ASGITransport(app=cast("Any", app))
    async with httpx.AsyncClient(transport=transport, base_url="http://service", headers=headers) as client:
        yield client


NOTES: Final = "/v1/provinces/bac-song/notes"
"""Where notes are."""
