"""The log as a transparency log over HTTP: what the standard's clients fetch, and the same as JSON for everybody else.

Everything here takes a token with a role in the province. Hashes are everybody's; of entries each gets what he may see.
"""

from typing import Annotated, Final

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from emulation_saas.audit.exports import entry_bundle
from emulation_saas.audit.layout import TILE_PATTERN, read_place
from emulation_saas.audit.receipts import receipt, spelled
from emulation_saas.audit.refusals import NoSuchEvent, NoSuchTile
from emulation_saas.audit.signing import Signer, named_vkeys, retired_vkeys
from emulation_saas.audit.use_cases import RotateLogKey
from emulation_saas.http.answers import ANSWERS, JSON, SPELLED, Answer
from emulation_saas.http.bodies import Body
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.numbers import INTEGER_MAX
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, Entry, ProvinceLog
from emulation_saas.log.merkle import TILE_HASHES

LEVEL_MAX: Final = 6
"""Of tiles: at the level above, a single hash would stand for more events than positions count."""
PROOF_SUFFIX: Final = ".tlog-proof"

_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_BYTES: Final = (b"content-type", b"application/octet-stream")
_FRESH: Final = (b"cache-control", b"private, no-cache")
_FINAL: Final = (b"cache-control", b"private, max-age=31536000, immutable")
_VARY: Final = (b"vary", b"authorization")
_A_TEXT: Final = {"type": "string"}
_SOME_BYTES: Final = {"type": "string", "format": "binary"}
_HASH: Final = Meta(pattern="^[A-Za-z0-9+/]{43}=$", description="SHA-256, in standard base64")
Hash = Annotated[str, _HASH]
_SEEN_OR_HIDDEN: Final = {
    "anyOf": [
        {"$ref": "#/components/schemas/Event"},
        {
            "type": "object",
            "required": ["position", "leaf_hash"],
            "properties": {"position": {"type": "integer", "minimum": 1}, "leaf_hash": {"type": "string"}},
        },
    ]
}

Size = Annotated[int, QueryParameter(description="Of a tree: how many events it holds", ge=1, le=INTEGER_MAX)]
Position = Annotated[int, QueryParameter(description="Of an event", ge=1, le=INTEGER_MAX)]


class InclusionProof(msgspec.Struct, frozen=True, kw_only=True):
    """That an event is in the tree of a size (RFC 6962, section 2.1.1)."""

    leaf_index: Annotated[int, Meta(ge=0, description="The position less one")]
    tree_size: int
    leaf_hash: Hash
    root_hash: Hash
    audit_path: Annotated[list[Hash], Meta(description="From the leaf's neighbour up")]


class ConsistencyProof(msgspec.Struct, frozen=True, kw_only=True):
    """That the tree of one size begins that of another (RFC 6962, section 2.1.2)."""

    first: int
    second: int
    consistency: list[Hash]


class HiddenEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What may be told of an event to somebody who may not see it."""

    position: int
    leaf_hash: Hash


class LogKeyBody(Body, frozen=True, kw_only=True):
    """Which of the log's keys is to sign from now on."""

    number: Annotated[int, Meta(ge=1, le=1_000, description="1 is the key of position 1; the next one is one more")]


@get("/log/checkpoint", summary="The newest signed checkpoint", opt={ANSWERS: {"text/plain": _A_TEXT}})
async def read_checkpoint(log: NamedDependency[ProvinceLog], signer: NamedDependency[Signer]) -> Answer:
    """Return the log's newest checkpoint (C2SP tlog-checkpoint), at most a second behind its head."""
    head = await signer.newest(log)
    return _told(head.note.encode(), _TEXT, _FRESH, at=head.size)


@get("/log/checkpoints/{size:int}", summary="The checkpoint of a size", opt={ANSWERS: {"text/plain": _A_TEXT}})
async def read_checkpoint_of(
    size: Annotated[int, PathParameter(ge=1, le=INTEGER_MAX)],
    log: NamedDependency[ProvinceLog],
    signer: NamedDependency[Signer],
) -> Answer:
    """Return the signed checkpoint of the tree of the first so many events."""
    return _told((await signer.note(log, size)).encode(), _TEXT, _FINAL, at=size)


@get("/log/vkey", summary="The keys that verify checkpoints", opt={ANSWERS: {"text/plain": _A_TEXT}})
async def read_vkey(log: NamedDependency[ProvinceLog]) -> Answer:
    """Return the log's verifier keys (C2SP signed-note), one a line: that of position 1, then its successors."""
    vkeys = await named_vkeys(log)
    return _told("".join(f"{vkey}\n" for vkey in vkeys).encode(), _TEXT, _FRESH)


@get(
    "/log/tile/{level:int}/{place:path}",
    summary="A tile of hashes",
    opt={ANSWERS: {"application/octet-stream": _SOME_BYTES}, SPELLED: {"place": TILE_PATTERN}},
)
async def read_tile(
    level: Annotated[int, PathParameter(ge=0, le=LEVEL_MAX)], place: FromPath[str], log: NamedDependency[ProvinceLog]
) -> Answer:
    """Return a tile (C2SP tlog-tiles): up to 256 hashes of 32 bytes. A partial one is told by its width."""
    number, width = _place(place)
    return _told(await log.tree.hashes(level, number * TILE_HASHES, width), _BYTES, _FINAL)


@get(
    "/log/tile/entries/{place:path}",
    summary="A bundle of entries",
    opt={ANSWERS: {"application/octet-stream": _SOME_BYTES}, SPELLED: {"place": TILE_PATTERN}},
)
async def read_entries(
    place: FromPath[str], log: NamedDependency[ProvinceLog], authority: NamedDependency[Authority]
) -> Answer:
    """Return the events of a tile as they are stored, each after its length; for who may see every one of them."""
    number, width = _place(place)
    first = number * TILE_HASHES
    await log.tree.root(first + width)  # it is there, or is said to be beyond the head
    entries = await log.entries(after=first, through=first + width)
    if not all(sees(log, authority, entry) for entry in entries):
        raise NotEmpowered
    return _told(entry_bundle(entries), _BYTES, _FRESH)  # what somebody may see can be taken from him


@get(
    "/log/proof/inclusion",
    summary="A proof that an event is in the log",
    opt={ANSWERS: {"application/json": InclusionProof}},
)
async def read_inclusion(log: NamedDependency[ProvinceLog], position: Position, size: Size) -> Answer:
    """Return the path from the event at a position to the root of the tree of a size."""
    found = await log.tree.inclusion(position, size)
    proof = InclusionProof(
        leaf_index=position - 1,
        tree_size=size,
        leaf_hash=spelled([found.leaf_hash])[0],
        root_hash=spelled([found.root])[0],
        audit_path=spelled(found.path),
    )
    return _told(msgspec.json.encode(proof), JSON, _FINAL, at=size)


@get(
    "/log/proof/consistency",
    summary="A proof that the log only grew",
    opt={ANSWERS: {"application/json": ConsistencyProof}},
)
async def read_consistency(log: NamedDependency[ProvinceLog], first: Size, second: Size) -> Answer:
    """Return what shows that the tree of the first size begins that of the second."""
    path = await log.tree.consistency(first, second)
    proof = ConsistencyProof(first=first, second=second, consistency=spelled(path))
    return _told(msgspec.json.encode(proof), JSON, _FINAL, at=second)


@get(
    "/events/{event:str}",
    summary="An event, or the proof that it is in the log",
    opt={
        ANSWERS: {
            "application/json": _SEEN_OR_HIDDEN,
            "text/plain": _A_TEXT,
        },
        SPELLED: {"event": r"^[1-9][0-9]{0,15}(?:\.tlog-proof)?$(?!\n)"},
    },
)
async def read_event(
    event: FromPath[str],
    log: NamedDependency[ProvinceLog],
    authority: NamedDependency[Authority],
    signer: NamedDependency[Signer],
) -> Answer:
    """Return the event at a position as it is stored; to who may not see it, its position and leaf hash.

    With `.tlog-proof` after the position: a proof of it that can be checked offline (C2SP tlog-proof).
    """
    position = int(event.removesuffix(PROOF_SUFFIX))
    entries = await log.entries(after=position - 1, through=position)
    if not entries:
        raise NoSuchEvent
    if event.endswith(PROOF_SUFFIX):
        return _told((await receipt(signer, log, position)).encode(), _TEXT, _FRESH, at=position)
    if sees(log, authority, entries[0]):
        return _told(entries[0].body, JSON, _FRESH, at=position)
    hidden = HiddenEvent(position=position, leaf_hash=spelled([entries[0].leaf_hash])[0])
    return _told(msgspec.json.encode(hidden), JSON, _FRESH, at=position)


@post("/log/keys", summary="Sign the log by its next key")
async def rotate_log_key(
    data: JSONBody[LogKeyBody],
    acting: NamedDependency[Acting],
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    signer: NamedDependency[Signer],
) -> Accepted:
    """Make the log's next key and sign by it; for 30 days checkpoints are signed by the one before, too."""
    if not authority.is_admin:
        raise NotEmpowered  # before a key is made
    rotation = RotateLogKey(
        number=data.number,
        vkey=await signer.next_vkey(log),
        retired=await retired_vkeys(log, utc_now()),
        time=data.entered(),
    )
    return await log.execute(rotation, by=acting)


def sees(log: ProvinceLog, authority: Authority, entry: Entry) -> bool:
    """Tell whether somebody may see an event."""
    recorded = log.closed(entry)
    return authority.may_see(recorded.event, actor=recorded.actor)


def _place(text: str) -> tuple[int, int]:
    read = read_place(text.removeprefix("/"))
    if read is None:
        raise NoSuchTile
    return read


def _told(body: bytes, *headers: tuple[bytes, bytes], at: int | None = None) -> Answer:
    position = [] if at is None else [(b"log-position", b"%d" % at)]
    return Answer(body, status=200, headers=[*headers, *position, _VARY])


ROUTES = (
    read_checkpoint,
    read_checkpoint_of,
    read_vkey,
    read_tile,
    read_entries,
    read_inclusion,
    read_consistency,
    read_event,
    rotate_log_key,
)
