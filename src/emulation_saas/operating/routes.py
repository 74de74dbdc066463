"""How far behind a province's documents and deliveries are, for its own people."""

from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from msgspec import Meta

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.log import ProvinceLog
from emulation_saas.operating.lags import Follower, Lags

Count = Annotated[int, Meta(ge=0)]
Events = Annotated[int, Meta(ge=0, description="Events between its position and the head")]


class ProjectionLag(msgspec.Struct, frozen=True, kw_only=True):
    """How far the documents of one projection are."""

    name: str
    position: Count
    lag: Events
    quarantined: Annotated[int, Meta(ge=0, description="Documents that stand still; a rebuild lifts it")]


class CursorLag(msgspec.Struct, frozen=True, kw_only=True):
    """How far one webhook, bridge or consumer is."""

    name: str
    position: Count
    lag: Events


class LagDocument(msgspec.Struct, frozen=True, kw_only=True):
    """How far all who follow the province's log are, of one moment."""

    head: Annotated[int, Meta(ge=1, description="The position of the newest event")]
    projections: list[ProjectionLag]
    webhooks: list[CursorLag]
    bridges: list[CursorLag]
    consumers: list[CursorLag]


@get("/lag", summary="How far behind documents, webhooks, bridges and consumers are")
async def read_lag(
    log: NamedDependency[ProvinceLog], authority: NamedDependency[Authority], lags: NamedDependency[Lags]
) -> LagDocument:
    """Return the lag of everybody who follows the log: exact, as of one moment. For overseers and integrators."""
    if not (authority.oversees or authority.is_integrator):
        raise NotEmpowered
    standing = await lags.of(log.province)
    return LagDocument(
        head=standing.head,
        projections=[
            ProjectionLag(name=each.name, position=each.position, lag=each.lag, quarantined=each.quarantined)
            for each in standing.of_kind("projection")
        ],
        webhooks=[_cursor(each) for each in standing.of_kind("webhook")],
        bridges=[_cursor(each) for each in standing.of_kind("bridge")],
        consumers=[_cursor(each) for each in standing.of_kind("consumer")],
    )


def _cursor(follower: Follower) -> CursorLag:
    return CursorLag(name=follower.name, position=follower.position, lag=follower.lag)


ROUTES = (read_lag,)
