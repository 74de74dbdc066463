"""Requests that schemathesis makes up from our description: none is a server error, every answer is as described.

The service is a real one, with a province in which a bloc's year has been played, and the caller may do almost
anything there, so that requests get further than the door. Cases are spread evenly over the operations; of each four,
two name things that are there, and two are invalid by the description. `EMULATION_FUZZ_CASES` says how many cases there
are (500; `make fuzz`: 10 000), `EMULATION_SEED` which.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pytest
import requests
import schemathesis
import schemathesis.checks
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks as of_description

from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import drop_database, fresh_database
from tests.serving import OPERATOR, Served, served
from tests.year import Marked

CASES: Final = int(os.environ.get("EMULATION_FUZZ_CASES", "500"))
SEED: Final = int(os.environ.get("EMULATION_SEED", "20240130"))
POSITION_MAX: Final = 40
"""A request may wait 5 s for a position that does not come: cases ask for one that has."""
WAIT_MAX: Final = 1
"""A request may wait 30 s for an event: cases wait a second, or a thousandth."""
_GENERAL: Final[Any] = schemathesis.checks
_OPENAPI: Final[Any] = of_description
CHECKS: Final[list[Any]] = [
    _GENERAL.not_a_server_error,
    _OPENAPI.status_code_conformance,
    _OPENAPI.content_type_conformance,
    _OPENAPI.response_headers_conformance,
    _OPENAPI.response_schema_conformance,
]


@dataclass
class Tried:
    """How many cases there were, what was answered, and what was wrong."""

    cases: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@pytest.fixture
def played(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Marked]]:
    """A service with one province, in which a year has been played and not closed."""
    url = asyncio.run(fresh_database(server))
    with served(tmp_path_factory.mktemp("fuzz"), workers=1, database_url=url) as service:
        yield service, play(service)
    asyncio.run(drop_database(server, url))


def play(service: Served) -> Marked:
    blank = Marked("a", "Sở", "")
    sub = f"admin@{blank.province}"
    with httpx.Client(base_url=service.url, timeout=15, trust_env=False) as client:
        opened = client.post("/v1/provinces", json=blank.opening(sub), headers=service.token(OPERATOR))
        marked = Marked(blank.mark, blank.canary, opened.json()["events"][2]["data"]["person"])
        for step in marked.steps()[:-1]:
            path = ("/v1/provinces/{province}" + step.path).format(**marked.path_parameters)
            answer = client.post(path, json=step.body, headers=service.token(marked.sub(step.by)))
            assert answer.status_code == 201, (step.path, answer.text)
    return marked


def cases_of(operation: Any, marked: Marked) -> st.SearchStrategy[Any]:  # noqa: ANN401 - schemathesis names no type for it
    """Return valid and invalid cases of an operation, half of them about things that are there."""
    there = {name: value for name, value in marked.path_parameters.items() if f"{{{name}}}" in operation.path}
    known = {"path_parameters": there} if there else {}
    province = {"path_parameters": {"province": marked.province}} if "province" in there else {}
    return st.one_of(
        operation.as_strategy(GenerationMode.POSITIVE, **known),
        operation.as_strategy(GenerationMode.NEGATIVE, **known),
        operation.as_strategy(GenerationMode.POSITIVE, **province),
        operation.as_strategy(GenerationMode.NEGATIVE),
    )


def try_out(operation: Any, marked: Marked, caller: "Caller", tried: Tried, number: int) -> None:  # noqa: ANN401 - as above
    """Send a number of cases of one operation."""

    @seed(SEED)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=cases_of(operation, marked))
    def check(case: Any) -> None:  # noqa: ANN401 - as above
        query: dict[str, Any] = case.query or {}
        wanted = query.get("min_position")
        if isinstance(wanted, int) and wanted > POSITION_MAX:
            query["min_position"] = wanted % POSITION_MAX
        for wait in ("wait", "timeout"):
            if isinstance(query.get(wait), int):
                query[wait] = min(query[wait], WAIT_MAX)
        tried.cases += 1
        answer = caller.call(case)
        tried.statuses[answer.status_code] = tried.statuses.get(answer.status_code, 0) + 1
        checks: list[Any] = [*CHECKS, _OPENAPI.negative_data_rejection] if has_bad_body(case) else CHECKS
        case.validate_response(answer, checks=checks)

    try:
        check()
    except (Exception, FailureGroup) as failure:  # noqa: BLE001 - whatever is wrong is told together at the end
        tried.failures.append(f"{operation.label}\n{failure}")


def has_bad_body(case: Any) -> bool:  # noqa: ANN401 - as above
    """Tell whether the body is invalid by the description; what is wrong elsewhere may get lost on the way."""
    body = case.meta.components.get(ParameterLocation.BODY)
    return body is not None and body.mode.is_negative


@dataclass
class Caller:
    """Who sends the cases."""

    session: requests.Session
    administrator: dict[str, str]
    operator: dict[str, str]

    def call(self, case: Any) -> Any:  # noqa: ANN401 - as above
        """Send one, as who may do most there."""
        headers = self.operator if case.operation.path == "/v1/provinces" else self.administrator
        return case.call(session=self.session, headers=headers, timeout=40)


def test_made_up_requests_are_answered_as_described(
    played: tuple[Served, Marked], capsys: pytest.CaptureFixture[str]
) -> None:
    service, marked = played
    description: Any = schemathesis.openapi.from_url(f"{service.url}/schema/openapi.json")
    operations: list[Any] = [found.ok() for found in description.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) > 40, "the description does not describe"
    tried = Tried()
    with requests.Session() as session:
        session.trust_env = False
        caller = Caller(session, service.token(f"admin@{marked.province}"), service.token(OPERATOR))
        for place, operation in enumerate(operations):
            number = CASES // len(operations) + (place < CASES % len(operations))
            if number:
                try_out(operation, marked, caller, tried, number)
    with capsys.disabled():
        sys.stdout.write(f"\nfuzz: {tried.cases} cases over {len(operations)} operations, {tried.statuses}\n")
    assert not tried.failures, "\n\n".join(tried.failures)
    assert tried.cases >= CASES * 0.8, "an operation ran out of cases"
    assert tried.statuses.get(201, 0) + tried.statuses.get(200, 0) > CASES * 0.05, "hardly any request was accepted"
