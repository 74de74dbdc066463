r"""One number for everything that a province's documents say as of a position, so that two can compare by one look.

How it is spelled, for whoever computes it elsewhere. All hashes are SHA-256, in lower-case hexadecimal; all JSON is
UTF-8, without spaces, only what JSON demands being escaped; every line ends with a line feed.

* A document is its state in JSON, as its projection declares it: the fields of an object in the order in which they are
  declared, those that are UNSET left out, all else written; the entries of a map in the order in which the log first
  named them; decimals as strings, spelled as the log spells them; instants and days in RFC 3339.
* A projection's digest is over one line for each of its documents, in the order of their keys (by code points):
  ``["key",position,stopped_at,"hash of the document"]``; the position is that of the last event which changed it, and
  stopped_at that of the event which could not be folded into it, null where all could.
* The digest is over one line for each projection, in the order of their names:
  ``["name",version,number of documents,"digest of the projection"]``.

No state holds anything personal, so the digest is the same when every personal key is destroyed.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing
from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.log import ProvinceLog
from emulation_saas.projecting.explaining import Root, spelled_root
from emulation_saas.projecting.finding import Finder, when_of
from emulation_saas.projecting.folding import Documents, Folded, fold
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.replaying import parts_of, without_cycle_search

HASHED_AT_ONCE: Final = 100
"""Documents written and hashed before others in this process get their turn."""

Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256, hexadecimal")]

_line: Final = msgspec.json.Encoder().encode


class ProjectionDigest(msgspec.Struct, frozen=True, kw_only=True):
    """What one projection's documents say, in one hash."""

    name: str
    version: int
    documents: int
    digest: Hash


class StateDigest(msgspec.Struct, frozen=True, kw_only=True):
    """What all documents say, in one hash, and in one for each projection."""

    digest: Hash
    projections: list[ProjectionDigest]


class DigestDocument(StateDigest, frozen=True, kw_only=True):
    """The digest as of a position."""

    position: int
    root: Root


class Digesting:
    """All documents of all projections, while they are being folded."""

    def __init__(self, projections: Iterable[AnyProjection]) -> None:
        """Begin with no event."""
        self._projections = sorted(projections, key=lambda projection: projection.name)
        self._documents: list[Documents] = [{} for _ in self._projections]

    def take(self, recorded: Sequence[AnyRecorded]) -> None:
        """Fold what comes next."""
        for projection, documents in zip(self._projections, self._documents, strict=True):
            fold(projection, documents, recorded)

    def digests(self) -> Iterator[ProjectionDigest | None]:
        """Give each projection's digest in turn; None now and then, where there is still more to do."""
        for projection, documents in zip(self._projections, self._documents, strict=True):
            digest = sha256()
            for number, key in enumerate(sorted(documents)):
                if number % HASHED_AT_ONCE == 0:
                    yield None
                digest.update(_document_line(projection, key, documents[key]))
            yield ProjectionDigest(
                name=projection.name,
                version=projection.version,
                documents=len(documents),
                digest=digest.hexdigest(),
            )


def digest_of(projections: Iterable[AnyProjection], recorded: Iterable[AnyRecorded]) -> StateDigest:
    """Return the digest of what all documents say after these events, which begin with the log's first."""
    digesting = Digesting(projections)
    digesting.take(list(recorded))
    return together([each for each in digesting.digests() if each is not None])


def together(digests: list[ProjectionDigest]) -> StateDigest:
    """Return the digest over those of all projections."""
    lines = (_line([each.name, each.version, each.documents, each.digest]) + b"\n" for each in digests)
    return StateDigest(digest=sha256(b"".join(lines)).hexdigest(), projections=digests)


async def digest_at(finder: Finder, log: ProvinceLog, may: Authority, as_of: str | None) -> DigestDocument:
    """Return the digest of what the documents said as of a position, folded from the log in parts.

    Raises:
        NotEmpowered: the caller does not oversee the province.
        AsOfBeyondHead, AsOfInFuture, NoSuchMoment: it cannot be asked so.
    """
    if not may.oversees:
        raise NotEmpowered
    when = await when_of(log, as_of, utc_now())
    position = (await log.head()).position if when.position is None else when.position
    digesting = Digesting(finder.projections)
    types = list({event_type for projection in finder.projections for event_type in projection.reads})
    digests: list[ProjectionDigest] = []
    with without_cycle_search():
        async with aclosing(parts_of(log, types, after=0, through=position)) as parts:
            async for part, _ in parts:
                digesting.take(part)
        for each in digesting.digests():
            if each is None:
                await asyncio.sleep(0)
            else:
                digests.append(each)
    state = together(digests)
    root = spelled_root(await log.root(position))
    return DigestDocument(position=position, root=root, digest=state.digest, projections=state.projections)


def _document_line(projection: AnyProjection, key: str, folded: Folded[Any]) -> bytes:
    document = sha256(projection.encode(folded.state)).hexdigest()
    stopped_at = folded.stopped_at if folded.is_quarantined else None
    return _line([key, folded.position, stopped_at, document]) + b"\n"
