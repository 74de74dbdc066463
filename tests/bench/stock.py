"""The stock recorders of `eventsourcing` on the same server, as the library's users run them: threads, a pool.

Database functions stay off, and the DCB recorder is always given a condition: without either they lose events.
"""

import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import perf_counter
from typing import Final
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.postgres_tt import PostgresDCBRecorderTT
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from tests.bench.payload import EVENT, EVENT_BODY

POOL_MAX: Final = 16
"""Connections; more only queue at the table lock that every append takes."""


def _datastore(url: str) -> PostgresDatastore:
    parts = urlsplit(url)
    parameters = parse_qs(parts.query)
    os.environ["PGPASSFILE"] = parameters["passfile"][0]
    return PostgresDatastore(
        dbname=parts.path.removeprefix("/"),
        host=parameters["host"][0],
        port="",
        user="postgres",
        password="",
        connect_timeout=30,
        pool_size=POOL_MAX,
    )


@contextmanager
def stock_datastore(url: str) -> Generator[PostgresDatastore]:
    """Lend the library's connections to a database, as the superuser of a base URL."""
    datastore = _datastore(url)
    try:
        yield datastore
    finally:
        datastore.close()


class Stock:
    """Both recorders on one database of their own."""

    def __init__(self, url: str) -> None:
        """Connect as the superuser of a base URL and make the tables.

        Args:
            url: `postgresql:///database?host=…&passfile=…`.
        """
        self._datastore = _datastore(url)
        self._application = PostgresApplicationRecorder(self._datastore)
        self._application.create_table()
        self._dcb = PostgresDCBRecorderTT(self._datastore)
        self._dcb.create_table()

    def close(self) -> None:
        """Close the pool."""
        self._datastore.close()

    def run(self, recorder: str, callers: int, seconds: float) -> tuple[int, float]:
        """Append from so many threads for a while; return how many events, and how long it took in s."""
        appends = [
            (self._application_append if recorder == "application" else self._dcb_append)() for _ in range(callers)
        ]
        counts = [0] * callers
        ready = threading.Barrier(callers + 1)
        until = 0.0

        def call(number: int) -> None:
            append = appends[number]
            ready.wait()
            while perf_counter() < until:
                append()
                counts[number] += 1

        threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
        for thread in threads:
            thread.start()
        began = perf_counter()
        until = began + seconds
        ready.wait()
        for thread in threads:
            thread.join()
        return sum(counts), perf_counter() - began

    def _application_append(self) -> Callable[[], None]:
        """Return what appends one more event to an aggregate of its own."""
        aggregate, version = uuid4(), 0

        def append() -> None:
            nonlocal version
            version += 1
            self._application.insert_events([StoredEvent(aggregate, version, EVENT.type, EVENT_BODY)])

        return append

    def _dcb_append(self) -> Callable[[], None]:
        """Return what appends one more event unless somebody else voted for the same member meanwhile."""
        voter = f"agency:{uuid4()}"
        event = DCBEvent(EVENT.type, EVENT_BODY, [*EVENT.tags()[:-1], voter])
        query = DCBQuery([DCBQueryItem([EVENT.type], [voter])])
        after: int | None = None

        def append() -> None:
            nonlocal after
            after = self._dcb.append([event], DCBAppendCondition(query, after))

        return append
