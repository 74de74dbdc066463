"""A request is one trace, with what the log did with its command, and nothing that its caller sent."""

from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from emulation_saas.http.tracing import Tracing
from emulation_saas.serving import tracings_of, worker_environment
from emulation_saas.settings import Settings, settings_from
from emulation_saas.wiring import application
from tests.http.notebook import calling
from tests.privacy.living import HERE, NAME, pledged, settings_of

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_command_is_one_trace_with_its_stages(database_url: str, tmp_path: Path) -> None:
    kept = InMemorySpanExporter()
    async with pledged(database_url, tmp_path):
        app = application(settings_of(database_url, tmp_path), [Tracing(SimpleSpanProcessor(kept))])
        async with app.lifespan(), calling(app, "admin") as client:
            agency = {"agency": "noi-vu", "name": "Sở Nội vụ", "effective_on": "2020-01-01"}
            answer = await client.post(f"{HERE}/agencies", json=agency, headers={"traceparent": PARENT})
            assert answer.status_code == 201
        *stages, answered, request = kept.get_finished_spans()
        assert request.name == "POST /v1/provinces/{province}/agencies"
        assert request.parent is None
        assert [span.name for span in stages][-2:] == ["decide", "append"]
        assert answered.name == "answer"
        ids = {span.context.trace_id for span in (*stages, answered, request) if span.context is not None}
        assert len(ids) == 1
        assert request.context is not None
        parents = {span.parent.span_id for span in (*stages, answered) if span.parent is not None}
        assert parents == {request.context.span_id}
        for earlier, later in zip((request, *stages), (*stages, answered), strict=True):
            assert earlier.start_time is not None
            assert later.start_time is not None
            assert earlier.start_time <= later.start_time
        attributes = dict(request.attributes or {})
        assert attributes["emulation.province"] == "bac-song"
        assert attributes["emulation.request_id"] == answer.headers["x-request-id"]
        assert attributes["http.response.status_code"] == 201


async def test_nothing_that_a_caller_sent_is_in_a_trace(database_url: str, tmp_path: Path) -> None:
    kept = InMemorySpanExporter()
    async with pledged(database_url, tmp_path):
        app = application(settings_of(database_url, tmp_path), [Tracing(SimpleSpanProcessor(kept))])
        async with app.lifespan(), calling(app, "admin") as client:
            told = {"user-agent": "bi-mat", "x-forwarded-for": "203.0.113.9", "cookie": "bi-mat"}
            await client.get(f"{HERE}/blocs/tm-1/years/2023/pledge?valid_on=2023-05-05", headers=told)
            await client.get(f"{HERE}/bi-mat", headers=told)
            await client.get(f"{HERE}/agencies?bi-mat=bi-mat", headers=told)
            await client.post(f"{HERE}/persons", json={"issuer": "i", "sub": "bi-mat", "name": NAME}, headers=told)
            token = client.headers["authorization"].removeprefix("Bearer ")
    spans = kept.get_finished_spans()
    assert {span.name for span in spans} >= {"GET /v1/provinces/{province}/blocs/{bloc}/years/{year}/pledge"}
    for span in spans:
        text = span.to_json()
        for secret in ("bi-mat", "203.0.113.9", "2023-05-05", token, NAME, "tm-1"):
            assert secret not in text, (secret, text)


def test_nothing_is_traced_unless_it_is_asked_for() -> None:
    assert tracings_of({}) == []
    assert tracings_of({"OTEL_TRACES_EXPORTER": "none"}) == []
    (tracing,) = tracings_of({"OTEL_TRACES_EXPORTER": "otlp"})
    tracing.close()


def test_workers_are_given_the_variables_of_tracing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    given = worker_environment(Settings(data=tmp_path, requests_per_person=7), url="postgresql:///x", local=False)
    assert given["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector:4318"
    assert given["EMULATION_REQUESTS_PER_PERSON"] == "7"
    assert settings_from({name: value for name, value in given.items() if value}).requests_per_person == 7
