"""One hash of all documents: the same offline, the same without keys, another with an event less."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.pledges.events import PledgeSigned
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.projecting import replaying
from emulation_saas.projecting.digesting import digest_at, digest_of
from emulation_saas.projecting.finding import Finder
from emulation_saas.projecting.projection import AnyProjection
from projections import PROJECTIONS
from projections.ratings import Ratings
from tests.database import superuser
from tests.logs import running_logs
from tests.projections.histories import AGENCIES, BLOCS, OFFICER, YEARS, histories
from tests.projections.live import place, told
from tests.projections.test_laws import by_hand
from tests.scenario import ADMIN
from tests.travel.asked import HERE, RICH, serving

encode = msgspec.json.Encoder(decimal_format="string").encode


def by_the_book(history: Sequence[AnyRecorded]) -> str:
    """Return the digest as its description says, by other means."""
    lines = b""
    for projection in sorted(PROJECTIONS, key=lambda each: each.name):
        documents = by_hand(projection, history)
        inner = b""
        for key in sorted(documents):
            state, position = documents[key]
            plain = json.loads(encode(state))
            document = json.dumps(plain, separators=(",", ":"), ensure_ascii=False).encode()
            inner += _line([key, position, None, sha256(document).hexdigest()])
        lines += _line([projection.name, projection.version, len(documents), sha256(inner).hexdigest()])
    return sha256(lines).hexdigest()


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


@settings(max_examples=20, deadline=None)
@given(history=histories)
def test_digest_is_spelled_as_it_is_described(history: list[AnyRecorded]) -> None:
    assert digest_of(PROJECTIONS, history).digest == by_the_book(history)
    assert digest_of(reversed(PROJECTIONS), iter(history)) == digest_of(PROJECTIONS, history)


@settings(max_examples=20, deadline=None)
@given(history=histories)
def test_event_that_is_missing_is_seen(history: list[AnyRecorded]) -> None:
    """The last event that a document is folded from leaves its position behind, even where it says nothing new."""
    folded = [at for at, each in enumerate(history) if any(_keys(projection, each) for projection in PROJECTIONS)]
    try_without = [*history[: folded[-1]], *history[folded[-1] + 1 :]]
    assert digest_of(PROJECTIONS, try_without).digest != digest_of(PROJECTIONS, history).digest


def _keys(projection: AnyProjection, recorded: AnyRecorded) -> Sequence[str]:
    return projection.keys_of(recorded) if type(recorded.event) in projection.read_types else ()


class _Blind(Ratings):
    """Cannot fold anything."""

    def evolve(self, state: Any, recorded: AnyRecorded) -> Any:  # noqa: ANN401 - any state
        del state
        raise ValueError(recorded)


@settings(max_examples=5, deadline=None)
@given(history=histories)
def test_document_that_stands_still_is_told_with_where(history: list[AnyRecorded]) -> None:
    (found,) = digest_of([_Blind()], history).projections
    first: dict[str, int] = {}
    for each in history:
        if isinstance(each.event, Ratings.reads):
            first.setdefault(Ratings().keys_of(each)[0], each.position)
    empty = sha256(msgspec.json.encode(Ratings().initial())).hexdigest()
    lines = b"".join(_line([key, 0, first[key], empty]) for key in sorted(first))
    assert (found.documents, found.digest) == (len(first), sha256(lines).hexdigest())


async def test_digest_over_http_is_that_of_a_replay_in_whatever_parts(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        signed = PledgeSigned(bloc=BLOCS[0], year=YEARS[0], agency=AGENCIES[0], signed_by=OFFICER)
        head = await there.tell(*told(RICH), signed)
        history = await there.history()
        for position in (0, 3, head // 2, head):
            for window, part in ((4_000, 500), (20, 3)):
                monkeypatch.setattr(replaying, "WINDOW", window)
                monkeypatch.setattr(replaying, "SLICE", part)
                told_ = (await client.get(f"{HERE}/digest", params={"as_of": position})).json()
                expected = msgspec.to_builtins(digest_of(PROJECTIONS, history[:position]))
                assert {name: told_[name] for name in expected} == expected
                assert told_["position"] == position
        whole = (await client.get(f"{HERE}/digest")).json()
        async with superuser(server, database_url.partition("?")[0].rpartition("/")[2]) as connection:
            await connection.execute("DELETE FROM sealing.subject_keys")
    async with running_logs(database_url) as logs, open_database(database_url) as database:
        log = await logs.find("bac-song")
        assert log is not None
        after = await log.recorded()
        assert msgspec.json.encode(after) != msgspec.json.encode(history)
        assert digest_of(PROJECTIONS, after).digest == whole["digest"]
        assert (await digest_at(Finder(database, PROJECTIONS), log, ADMIN, None)).digest == whole["digest"]
