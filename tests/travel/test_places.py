"""Questions that fold a log anew wait for each other: those of one province leave the worker to the others."""

from pathlib import Path

from emulation_saas.http.shares import Places
from tests.projections.live import place, told
from tests.travel.asked import HERE, RICH, STANDINGS, serving


async def test_while_one_is_answered_the_others_of_its_province_wait_and_the_present_does_not(
    database_url: str, tmp_path: Path
) -> None:
    questions = Places(of_all=2, of_province=1, wait_max_s=0.05)
    async with place(database_url) as there, serving(there, tmp_path, questions=questions) as client:
        head = await there.tell(*told(RICH))
        asked: dict[str, str | int] = {"path": STANDINGS, "from": head - 1, "to": head}
        anew = [
            client.build_request("GET", f"{HERE}{STANDINGS}", params={"as_of": head - 1}),
            client.build_request("GET", f"{HERE}/explain", params={"path": STANDINGS}),
            client.build_request("GET", f"{HERE}/diff", params=asked),
            client.build_request("GET", f"{HERE}/events/{head}/effects"),
            client.build_request("GET", f"{HERE}/digest"),
            client.build_request("POST", f"{HERE}/what-if", json={"path": STANDINGS}),
        ]
        async with questions.taken(there.log.province):
            for request in anew:
                refused = await client.send(request)
                assert (refused.status_code, refused.json()["code"]) == (429, "province-over-share"), request.url
                assert int(refused.headers["retry-after"]) >= 1
            assert (await client.get(f"{HERE}{STANDINGS}")).status_code == 200
        for request in anew:
            assert (await client.send(request)).status_code == 200, request.url
