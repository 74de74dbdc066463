"""The whole service in this process, on a real database: a province in which somebody has signed a pledge."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from litestar import Litestar

from emulation_saas.settings import Issuer, Operator, Settings
from emulation_saas.wiring import application
from tests.database import superuser
from tests.http.notebook import AUDIENCE, ISSUER, calling, jwks
from tests.logs import keep_master_key

HERE: Final = "/v1/provinces/bac-song"
PLEDGE: Final = f"{HERE}/blocs/tm-1/years/2023/pledge"
STANDINGS: Final = f"{HERE}/blocs/tm-1/years/2023/standings"
SIGNER: Final = "p-signersign"
"""Stands on paper only."""
NAME: Final = "Đặng Văn Đào"
ERASURE: Final = {"legal_basis": "Luật 91/2025/QH15, Điều 16", "document_no": "12/YC"}


@dataclass(frozen=True)
class Living:
    """A service, and clients of it."""

    app: Litestar
    url: str

    async def ask(self, path: str, *, sub: str = "admin", **options: Any) -> httpx.Response:  # noqa: ANN401 - of httpx
        """Ask for something."""
        async with calling(self.app, sub) as client:
            return await client.get(path, **options)

    async def do(
        self, path: str, body: dict[str, Any], *, sub: str = "admin", key: str | None = None
    ) -> httpx.Response:
        """Ask to do something."""
        async with calling(self.app, sub) as client:
            headers = {} if key is None else {"idempotency-key": key}
            return await client.post(path, json=body, headers=headers)

    async def done(self, path: str, body: dict[str, Any], *, sub: str = "admin") -> dict[str, Any]:
        """Do something and demand that it was accepted."""
        answer = await self.do(path, body, sub=sub)
        assert answer.status_code == 201, (path, answer.text)
        said: dict[str, Any] = answer.json()
        return said

    async def empower(self, sub: str, role: str) -> str:
        """Register somebody with a role; return the person id."""
        body = {"issuer": ISSUER, "sub": sub, "name": f"Trần {sub}"}
        registered = await self.done(f"{HERE}/persons", body)
        person: str = registered["events"][0]["data"]["person"]
        await self.done(f"{HERE}/roles", {"person": person, "role": role})
        return person


def settings_of(url: str, folder: Path) -> Settings:
    """Return the settings of the service on a database."""
    return Settings(
        database_url=url,
        master_key=keep_master_key(folder),
        issuers=(Issuer(issuer=ISSUER, audience=AUDIENCE, jwks=jwks(folder)),),
        operators=(Operator(issuer=ISSUER, sub="root"),),
    )


@asynccontextmanager
async def alive(url: str, folder: Path) -> AsyncGenerator[Living]:
    """Lend the service on a database, in whatever state that is."""
    app = application(settings_of(url, folder))
    async with app.lifespan():
        yield Living(app, url)


@asynccontextmanager
async def pledged(url: str, folder: Path) -> AsyncGenerator[Living]:
    """Lend a province whose pledge bears the name of one official."""
    async with alive(url, folder) as living:
        dated = {"effective_on": "2020-01-01", "legal_basis": "QĐ"}
        named = {"name": "Tỉnh Bắc Sông", "kind": "tinh", "code": "00", **dated}
        admin = {"issuer": ISSUER, "sub": "admin", "name": "Nguyễn Thị Quản Trị"}
        await living.done("/v1/provinces", {"province": "bac-song", **named, "admin": admin}, sub="root")
        await living.done(f"{HERE}/agencies", {"agency": "stp", "name": "Sở Tư pháp", "effective_on": "2020-01-01"})
        await living.done(f"{HERE}/blocs", {"bloc": "tm-1", "name": "Khối 1", "kind": "khoi", **dated})
        await living.done(f"{HERE}/blocs/tm-1/members", {"agency": "stp", **dated})
        scheme = {"title": "Bảng", "criteria": [{"criterion": "cc", "title": "Cải cách", "points_max": "10"}]}
        rules = {"legal_basis": "QC", "leaders_max": 1, "self_vote": True}
        await living.done(f"{HERE}/blocs/tm-1/years", {"year": 2023, "scheme": scheme, "rules": rules})
        await living.done(PLEDGE, {"text": "Giao ước"})
        await living.done(f"{PLEDGE}/signatures", {"agency": "stp", "signed_by": signer()})
        yield living


def signer(name: str = NAME) -> dict[str, str]:
    """Return the official as a body names him."""
    return {"person": SIGNER, "name": name, "office": "Giám đốc"}


async def run_sql(server: Any, url: str, statement: str, *values: object) -> list[Any]:  # noqa: ANN401 - rows
    """Let a superuser look, or do what nobody may."""
    async with superuser(server, url.partition("?")[0].rpartition("/")[2]) as connection:
        return await connection.fetch(statement, *values)
