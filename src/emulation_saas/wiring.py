"""The only module that knows every part: event types, the fold of authority, routes, projections, the application."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from litestar import Litestar
from litestar.types import ControllerRouterHandler

from emulation_saas.access import authority
from emulation_saas.access import events as access
from emulation_saas.access import routes as access_routes
from emulation_saas.agencies import events as agencies
from emulation_saas.agencies import routes as agencies_routes
from emulation_saas.audit import dossier_routes, export_routes, receipts
from emulation_saas.audit import routes as audit_routes
from emulation_saas.audit.signing import Signer
from emulation_saas.audit.witness import Witness
from emulation_saas.ballots import events as ballots
from emulation_saas.ballots import routes as ballots_routes
from emulation_saas.blocs import events as blocs
from emulation_saas.blocs import routes as blocs_routes
from emulation_saas.disputes import events as disputes
from emulation_saas.disputes import routes as disputes_routes
from emulation_saas.http.application import create_app
from emulation_saas.http.keys import KeySource
from emulation_saas.http.shares import places_for_questions
from emulation_saas.http.tokens import TrustedIssuer, Verifier
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.events import Event
from emulation_saas.log import AuthorityFold, Codec, MasterKey, ProvinceLogs, Registry
from emulation_saas.log import events as log
from emulation_saas.log.course import Unwatched, Watch
from emulation_saas.log.master_key import read_master_key
from emulation_saas.log.reading import STATEMENTS
from emulation_saas.log.room import Room
from emulation_saas.meetings import events as meetings
from emulation_saas.meetings import routes as meetings_routes
from emulation_saas.nominations import events as nominations
from emulation_saas.nominations import routes as nominations_routes
from emulation_saas.offices import events as offices
from emulation_saas.offices import routes as offices_routes
from emulation_saas.operating import routes as operating_routes
from emulation_saas.operating.counting import Counts
from emulation_saas.operating.lags import Lags
from emulation_saas.operating.looking import Lookout
from emulation_saas.operating.loops import DEAF_S, Loops, Patience
from emulation_saas.operating.metrics import Metrics, metrics_route
from emulation_saas.pledges import events as pledges
from emulation_saas.pledges import routes as pledges_routes
from emulation_saas.postgres.database import Database, database_at
from emulation_saas.privacy import events as privacy
from emulation_saas.privacy import routes as privacy_routes
from emulation_saas.privacy.access_log import AccessLog
from emulation_saas.privacy.upkeep import Upkeep
from emulation_saas.projecting.finding import Finder
from emulation_saas.projecting.reading import Reader
from emulation_saas.projecting.routes import document_routes
from emulation_saas.projecting.runner import Runner
from emulation_saas.projecting.supposing import Supposer
from emulation_saas.projecting.travel_routes import TRAVEL_ROUTES
from emulation_saas.provinces import events as provinces
from emulation_saas.provinces import routes as provinces_routes
from emulation_saas.ratings import events as ratings
from emulation_saas.ratings import routes as ratings_routes
from emulation_saas.scoring import events as scoring
from emulation_saas.scoring import routes as scoring_routes
from emulation_saas.settings import Settings
from emulation_saas.streams import consumer_routes
from emulation_saas.streams import routes as streams_routes
from emulation_saas.streams.bridging import Bridge
from emulation_saas.streams.consumers import Consumers
from emulation_saas.streams.contract_routes import contract_routes
from emulation_saas.streams.subscribers import Subscribers
from emulation_saas.streams.tails import Tails
from emulation_saas.webhooks import events as webhooks
from emulation_saas.webhooks import routes as webhooks_routes
from emulation_saas.webhooks.courier import Courier
from emulation_saas.webhooks.destinations import destinations
from emulation_saas.webhooks.dispatching import Dispatcher
from emulation_saas.webhooks.schedule import Schedule
from emulation_saas.webhooks.standing import Webhooks
from emulation_saas.webhooks.tries import Means
from emulation_saas.years import events as years
from emulation_saas.years import routes as years_routes
from emulation_saas.years import schemes
from projections import PROJECTIONS

if TYPE_CHECKING:
    from emulation_saas.http.tracing import Tracing

EVENT_TYPES: Final[tuple[type[Event], ...]] = (
    *log.EVENTS,
    *provinces.EVENTS,
    *access.EVENTS,
    *agencies.EVENTS,
    *blocs.EVENTS,
    *years.EVENTS,
    *pledges.EVENTS,
    *scoring.EVENTS,
    *ratings.EVENTS,
    *ballots.EVENTS,
    *nominations.EVENTS,
    *offices.EVENTS,
    *meetings.EVENTS,
    *disputes.EVENTS,
    *privacy.EVENTS,
    *webhooks.EVENTS,
)
AUTHORITY: Final = AuthorityFold(
    authority.DIRECTORY_FACTS,
    authority.initial_directory,
    authority.directory_after,
    authority.directory_after_all,
    authority.facts_about,
)
ROUTES: Final[tuple[ControllerRouterHandler, ...]] = (
    *provinces_routes.ROUTES,
    *access_routes.ROUTES,
    *agencies_routes.ROUTES,
    *blocs_routes.ROUTES,
    *years_routes.ROUTES,
    *pledges_routes.ROUTES,
    *scoring_routes.ROUTES,
    *ratings_routes.ROUTES,
    *ballots_routes.ROUTES,
    *nominations_routes.ROUTES,
    *offices_routes.ROUTES,
    *meetings_routes.ROUTES,
    *audit_routes.ROUTES,
    *export_routes.ROUTES,
    *dossier_routes.ROUTES,
    *disputes_routes.ROUTES,
    *privacy_routes.ROUTES,
    *operating_routes.ROUTES,
    *streams_routes.ROUTES,
    *consumer_routes.ROUTES,
    *webhooks_routes.ROUTES,
)


BEGINNINGS: Final[frozenset[type[Event]]] = frozenset(
    {
        agencies.AgencyRegistered,
        blocs.BlocEstablished,
        blocs.MemberAdmitted,
        years.YearOpened,
        webhooks.WebhookRegistered,
    }
)
"""What begins something new, for which a log that is full has no room."""


def logs_of(
    database: Database,
    *,
    origin: str,
    master: MasterKey,
    events_max: int | None = None,
    watching: Callable[[str], Watch] = lambda _: Unwatched(),
) -> ProvinceLogs:
    """Return the logs of a database, with every event type and the fold of authority."""
    return ProvinceLogs(
        database,
        Codec(Registry(EVENT_TYPES)),
        AUTHORITY,
        origin=origin,
        master=master,
        room=Room(events_max, BEGINNINGS),
        watching=watching,
    )


def require_sound(event: Event) -> None:
    """Return if an event that somebody supposes could be true in some state.

    Raises:
        Rejection: its scheme is no tree whose maxima add up.
    """
    if isinstance(event, years.YearOpened):
        schemes.require_sound(event.scheme)


def bridges_of(settings: Settings, logs: ProvinceLogs, database: Database, tails: Tails) -> dict[str, Bridge]:
    """Return the bridges to the brokers that the settings name, by the kind of broker."""
    if settings.nats_url is None:
        return {}
    from emulation_saas.streams.nats import Nats  # noqa: PLC0415 - what it imports is there with the extra `nats` only

    nats = Nats(
        settings.nats_url.split(","),
        prefix=settings.nats_prefix,
        credentials=settings.nats_credentials,
        ca=settings.nats_ca,
    )
    return {"nats": Bridge(logs, database, tails, nats, carried=settings.nats_events)}


def witness_of(settings: Settings) -> Witness | None:
    """Return what remembers outside the database what was signed, if the settings name it."""
    return None if settings.witness is None else Witness(settings.witness)


def webhooks_of(settings: Settings, database: Database) -> Webhooks:
    """Return the webhooks of all provinces, and where they may go."""
    allowed = destinations(networks=settings.webhook_networks, ports=settings.webhook_ports, ca=settings.webhook_ca)
    couriers = partial(Courier, destinations=allowed, origin=settings.log_origin, clock=utc_now)
    return Webhooks(database, allowed, couriers)


def _verifier(settings: Settings) -> Verifier:
    """Return what tells callers by the tokens of the issuers that the settings name."""
    return Verifier(
        [
            TrustedIssuer(issuer=named.issuer, audience=named.audience, keys=KeySource(named.jwks))
            for named in settings.issuers
        ]
    )


def _loops(logs: ProvinceLogs, runner: Runner, tails: Tails) -> Loops:
    """Return the loops of a worker, with the watches over what must move."""
    loops, head = Loops(), logs.waker.known_head
    loops.watch("heads", lambda: monotonic() - logs.waker.polled_at > DEAF_S)
    loops.watch("projections", Patience(lambda: runner.reached, head).is_at_end)
    loops.watch("tails", Patience(lambda: tails.reached, head).is_at_end)
    return loops


def application(settings: Settings, tracings: "Sequence[Tracing]" = ()) -> Litestar:
    """Return the service of one worker, and have its requests traced. To be called where the event loop runs.

    Raises:
        ValueError: the settings name no database or no master key; a worker never makes its own.
        MasterKeyError, KeyExposedError: the master key cannot be used.
    """
    if settings.database_url is None or settings.master_key is None:
        raise ValueError("a worker needs EMULATION_DATABASE_URL and EMULATION_MASTER_KEY")
    database, counts = database_at(settings.database_url), Counts()
    signer = Signer(database, witness_of(settings))
    master, events_max = read_master_key(settings.master_key), settings.events_per_province
    logs = logs_of(database, origin=settings.log_origin, master=master, events_max=events_max, watching=counts.of)
    access_log, webhooks_kept, tails = AccessLog(logs, database), webhooks_of(settings, database), Tails()
    subscribers, questions, runner = Subscribers(), places_for_questions(), Runner(logs, database, PROJECTIONS)
    finder, lags = Finder(database, PROJECTIONS), Lags(database, PROJECTIONS, bridged=bool(settings.nats_url))
    loops = _loops(logs, runner, tails)
    lookout = Lookout(counts, logs.known, subscribers.positions, loops.faults, lambda: signer.forked)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None]:
        async with database.opened(), logs.running():
            try:
                async with loops.running(
                    projections=runner.run(),
                    signer=signer.run(logs),
                    upkeep=Upkeep(logs, access_log).run(),
                    lookout=lookout.run(),
                    webhooks=Dispatcher(
                        logs, database, webhooks_kept.couriers, Means(Schedule(), utc_now, uuid4()), tails=tails
                    ).run(),
                    **{name: bridge.run() for name, bridge in bridges_of(settings, logs, database, tails).items()},
                ):
                    yield
            finally:
                await tails.close()  # after the loops: who sends to somebody asks them, too

    return create_app(
        routes=ROUTES,
        platform_routes=provinces_routes.PLATFORM_ROUTES,
        operator_routes=[metrics_route(Metrics(logs.all, lags, counts.of_all, events_max))],
        documents=[*document_routes(PROJECTIONS), *TRAVEL_ROUTES],
        contract=contract_routes(EVENT_TYPES),
        given={
            "reader": Reader(database, PROJECTIONS, questions),
            "finder": finder,
            "questions": questions,
            "supposer": Supposer(finder, require_sound),
            "signer": signer,
            "access_log": access_log,
            "lags": lags,
            "tails": tails,
            "subscribers": subscribers,
            "consumers": Consumers(database),
            "webhooks": webhooks_kept,
        },
        logs=logs,
        verifier=_verifier(settings),
        recorder=access_log.record,
        settings=settings,
        reachable=partial(database.heads.fetchval, STATEMENTS["ping"]),  # not of the pool that requests wait for
        faults=loops.faults,
        receipt=partial(receipts.receipt, signer),
        watches=[counts.request_ended],
        stops=[tails.stop],
        middleware=[each.middleware for each in tracings],
        lifespan=[lifespan, *(each.running for each in tracings)],
    )
