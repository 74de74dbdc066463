"""Asking a projection without a database: what happened, and what is answered then."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, DisputeId
from emulation_saas.projecting.folding import Documents, fold
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.views import Act, Asked, Names, View, Where
from tests.builders import AGENCY, BALLOT, BLOC, DISPUTE, YEAR
from tests.projections.histories import recorded
from tests.scenario import ADMIN

DAY: Final = date(2024, 6, 1)
HERE: Final = Where(bloc=BLOC, year=YEAR, agency=AGENCY, ballot=BALLOT, dispute=DISPUTE)


def view_of(projection: AnyProjection, ending: str) -> View[Any]:
    """Return the view whose path ends so."""
    return next(view for view in projection.views if view.path.endswith(ending))


def folded(projection: AnyProjection, *events: Event, causes: Mapping[int, int] = {}) -> Documents:
    """Return the documents after these events, at positions 1, 2, 3 …; none may be in quarantine."""
    documents: Documents = {}
    fold(projection, documents, recorded(events, causes=causes))
    assert not any(each.is_quarantined for each in documents.values())
    return documents


def answered(  # noqa: PLR0913 - each says one thing about the asking
    projection: AnyProjection,
    *events: Event,
    path: str,
    where: Where = HERE,
    may: Authority = ADMIN,
    on: date = DAY,
    names: Names = {},  # noqa: B006 - never written to
    powers: Mapping[Act, Authority] = {},
    causes: Mapping[int, int] = {},
    after: str = "",
    limit: int = 100,
) -> Any:  # noqa: ANN401 - JSON, as a caller reads it
    """Return the answer as a caller reads it; None where there is none."""
    view = view_of(projection, path)
    asked = Asked(
        where=where,
        may=may,
        valid_on=on,
        names=names,
        powers=powers,
        through=len(events),
        after=after,
        limit=limit,
    )
    scope = view.scope(asked)
    documents = folded(projection, *events, causes=causes)
    within = [key for key in sorted(documents) if scope.first <= key <= scope.last][: scope.documents_max]
    states: dict[str, Any] = {key: documents[key].state for key in within}
    document = view.answer(states, asked)
    return None if document is None else msgspec.json.decode(msgspec.json.encode(document))


def reasons(
    projection: AnyProjection,
    key: str,
    *events: Event,
    causes: Mapping[int, int] = {},
) -> Callable[[str], list[int]]:
    """Return what tells the reasons of a figure of one document."""
    state = folded(projection, *events, causes=causes)[key].state

    def why(figure: str) -> list[int]:
        return projection.reasons(state, figure, DAY)

    return why


def place(
    bloc: str = BLOC, year: int = YEAR, agency: str = AGENCY, ballot: str = BALLOT, dispute: str = DISPUTE
) -> Where:
    """Return the parameters of a path."""
    return Where(
        bloc=BlocId(bloc), year=year, agency=AgencyId(agency), ballot=BallotId(ballot), dispute=DisputeId(dispute)
    )
