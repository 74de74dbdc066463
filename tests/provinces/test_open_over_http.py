"""Opening a province over HTTP: for an administrator who can enter it."""

from pathlib import Path

from tests.http.notebook import ISSUER
from tests.privacy.living import HERE, alive
from tests.serving import opening


async def test_a_misspelt_issuer_leaves_the_handle_to_who_spells_it_right(database_url: str, tmp_path: Path) -> None:
    admin = {"issuer": ISSUER, "sub": "admin", "name": "Nguyễn Thị Quản Trị"}
    async with alive(database_url, tmp_path) as living:
        body = opening("bac-song") | {"admin": admin | {"issuer": f"{ISSUER}/"}}
        refused = await living.do("/v1/provinces", body, sub="root", key="k")
        assert (refused.status_code, refused.json()["code"]) == (422, "issuer-not-accepted")
        await living.done("/v1/provinces", opening("bac-song") | {"admin": admin}, sub="root")
        assert (await living.ask(HERE)).status_code == 200
