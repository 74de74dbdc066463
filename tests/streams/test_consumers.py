"""A consumer is a place in the log that the service keeps: read from, acknowledged, moved; its owner's own."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from emulation_saas.streams.consumers import CONSUMERS_MAX
from tests.audit.auditing import HERE, Service, serving

JANUARY: Final = "2024-01-30"
_AGENCY: Final = {"agency": "so-moi", "name": "Sở Mới", "effective_on": "2024-01-01"}


async def post(service: Service, path: str, body: dict[str, Any], role: str | None = None) -> httpx.Response:
    headers = {} if role is None else service.by(role)
    return await service.client.post(f"{HERE}{path}", json=body, headers=headers)


async def ask(
    service: Service, path: str, body: dict[str, Any], role: str | None = None, *, status: int = 200
) -> dict[str, Any]:
    answer = await post(service, path, body, role)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_consumer_reads_acknowledges_and_goes_on(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        made = await ask(service, "/consumers", {"consumer": "cong"})
        assert (made["position"], made["head"], made["lag"]) == (0, head, head)
        assert "last_seen_at" not in made
        seen: list[int] = []
        while True:
            page = await service.get("/consumers/cong/events", limit=7)
            if page.json() == []:
                break
            assert page.headers["content-type"] == "application/cloudevents-batch+json"
            assert page.headers["cache-control"] == "no-store"
            seen += [int(event["id"]) for event in page.json()]
            expected, position = int(page.headers["consumer-position"]), int(page.headers["log-scanned-to"])
            told = await ask(service, "/consumers/cong/ack", {"expected": expected, "position": position})
            assert (told["position"], told["lag"]) == (position, head - position)
        everything = (await service.get("/events", limit=1000)).json()
        assert seen == [int(event["id"]) for event in everything]
        assert len(seen) > 20
        assert "last_seen_at" in (await service.get("/consumers/cong")).json()


async def test_page_is_the_same_until_it_is_acknowledged(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        await ask(service, "/consumers", {"consumer": "cong", "types": ["agency.*"], "start": 2})
        first = await service.get("/consumers/cong/events", limit=1)
        assert (await service.get("/consumers/cong/events", limit=1)).content == first.content
        assert {event["type"].partition(".")[0] for event in first.json()} == {"agency"}
        lines = await service.client.get(
            f"{HERE}/consumers/cong/events?limit=1", headers={"accept": "application/x-ndjson"}
        )
        assert b"[" + lines.content.strip() + b"]" == first.content


async def test_acknowledging_again_changes_nothing_and_from_elsewhere_is_stale(
    database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path) as service:
        await ask(service, "/consumers", {"consumer": "cong"})
        for _ in range(2):
            assert (await ask(service, "/consumers/cong/ack", {"expected": 0, "position": 5}))["position"] == 5
        stale = await ask(service, "/consumers/cong/ack", {"expected": 0, "position": 4}, status=409)
        assert (stale["code"], stale["detail"]) == ("stale-ack", "it stands at 5")
        back = await ask(service, "/consumers/cong/ack", {"expected": 5, "position": 4}, status=422)
        assert back["code"] == "ack-goes-back"
        beyond = await ask(service, "/consumers/cong/ack", {"expected": 5, "position": 10_000}, status=422)
        assert beyond["code"] == "cursor-beyond-head"
        assert (await service.get("/consumers/cong")).json()["position"] == 5


async def test_consumer_goes_to_a_position_a_time_or_now(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        made = await ask(service, "/consumers", {"consumer": "cong", "start": "now"})
        assert made["position"] == head
        assert (await ask(service, "/consumers/cong/seek", {"to": 3}))["position"] == 3
        assert (await ask(service, "/consumers/cong/seek", {"to": "now"}))["position"] == head
        assert (await ask(service, "/consumers/cong/seek", {"to": JANUARY}))["position"] == 0
        (event,) = (await service.get("/events", after=head - 1)).json()
        instant = event["recordedtime"].partition(".")[0] + "Z"
        at = (await ask(service, "/consumers/cong/seek", {"to": instant}))["position"]
        assert at == await service.log.position_at(datetime.fromisoformat(instant))


@pytest.mark.parametrize(
    ("to", "code"),
    [
        (10_000, "cursor-beyond-head"),
        ("2999-01-01", "time-in-future"),
        ("2024-02-30", "no-such-moment"),
        ("yesterday", "no-such-moment"),
        (-1, "malformed-body"),
        (1.5, "not-an-integer"),
    ],
)
async def test_nowhere_to_go_is_refused(database_url: str, tmp_path: Path, to: Any, code: str) -> None:  # noqa: ANN401 - any JSON
    async with serving(database_url, tmp_path, filled=False) as service:
        await ask(service, "/consumers", {"consumer": "cong"})
        for path, body in (("/consumers/cong/seek", {"to": to}), ("/consumers", {"consumer": "moi", "start": to})):
            answer = await post(service, path, body)
            assert (answer.status_code // 100, answer.json()["code"]) == (4, code)


async def test_consumer_is_its_owners_and_administrators(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        await ask(service, "/consumers", {"consumer": "cong"}, "integrator")
        await ask(service, "/consumers", {"consumer": "kiem-toan"}, "auditor")
        listed = (await service.get("/consumers", "integrator")).json()["consumers"]
        assert [each["consumer"] for each in listed] == ["cong"]
        everybodys = (await service.get("/consumers")).json()["consumers"]
        assert [each["consumer"] for each in everybodys] == ["cong", "kiem-toan"]
        for path, body in (("ack", {"expected": 0, "position": 1}), ("seek", {"to": 1}), ("remove", {})):
            told = await ask(service, f"/consumers/cong/{path}", body, "auditor", status=404)
            nobodys = await ask(service, f"/consumers/khong-co/{path}", body, "auditor", status=404)
            assert told["code"] == nobodys["code"] == "no-such-consumer"
        for path in ("", "/events"):
            assert (await service.get(f"/consumers/cong{path}", "auditor")).status_code == 404
        taken = await ask(service, "/consumers", {"consumer": "cong"}, "auditor", status=409)
        assert taken["code"] == "consumer-exists"
        assert (await ask(service, "/consumers/cong/remove", {}))["consumer"] == "cong"
        assert (await service.get("/consumers/cong", "integrator")).status_code == 404
        again = await ask(service, "/consumers", {"consumer": "cong", "start": "now"}, "auditor")
        assert again["position"] == again["head"]


async def test_consumer_sees_by_the_powers_of_who_reads(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        await ask(service, "/consumers", {"consumer": "cong"}, "integrator")
        theirs = (await service.get("/consumers/cong/events", "integrator", limit=1000)).json()
        admins = (await service.get("/consumers/cong/events", limit=1000)).json()
        assert theirs == (await service.get("/events", "integrator", limit=1000)).json()
        assert admins == (await service.get("/events", limit=1000)).json()
        assert 0 < len(theirs) < len(admins)


async def test_consumer_waits_for_what_comes(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        await ask(service, "/consumers", {"consumer": "cong", "start": "now"})
        nothing = await service.get("/consumers/cong/events", wait=1)
        assert (nothing.status_code, nothing.json()) == (200, [])
        await ask(service, "/agencies", _AGENCY, status=201)
        (event,) = (await service.get("/consumers/cong/events", wait=20)).json()
        assert event["type"] == "agency.registered.v1"


async def test_made_again_it_is_as_it_was_unless_it_selects_otherwise(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        body = {"consumer": "cong", "types": ["agency.*"], "tags": ["agency:so-a"], "start": 1}
        await ask(service, "/consumers", body)
        await ask(service, "/consumers/cong/seek", {"to": 2})
        assert (await ask(service, "/consumers", body))["position"] == 2
        other = await ask(service, "/consumers", {**body, "types": []}, status=409)
        assert other["code"] == "consumer-exists"


async def test_person_has_as_many_as_one_may_have(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        for number in range(CONSUMERS_MAX):
            await ask(service, "/consumers", {"consumer": f"cong-{number:02}"})
        told = await ask(service, "/consumers", {"consumer": "them"}, status=409)
        assert told["code"] == "too-many-consumers"
        assert (await ask(service, "/consumers", {"consumer": "cong-00"}))["position"] == 0
        await ask(service, "/consumers", {"consumer": "them"}, "integrator")
        first = (await service.get("/consumers", limit=15)).json()
        second = (await service.get("/consumers", limit=15, cursor=first["next"])).json()
        names = [each["consumer"] for page in (first, second) for each in page["consumers"]]
        assert names == [*(f"cong-{number:02}" for number in range(CONSUMERS_MAX)), "them"]
        assert "next" not in second


async def test_name_that_nobody_can_have_is_nobodys(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        for name in ("%00", "a%00b", "%ff", "a%2Fb", "%ed%a0%80", "A" * 300):
            for path in (f"/consumers/{name}", f"/consumers/{name}/events", f"/webhooks/{name}/deliveries"):
                assert (await service.get(path)).status_code in {400, 404}, path
            acknowledging = await post(service, f"/consumers/{name}/ack", {"expected": 0, "position": 0})
            assert acknowledging.status_code in {400, 404}, name
