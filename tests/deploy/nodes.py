"""Three database machines on this one: etcd, Patroni with `deploy/patroni.yml`, and the PostgreSQL of our wheel."""

import asyncio
import os
import re
import secrets
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from time import monotonic
from typing import Any, Final

import asyncpg
import httpx

from emulation_saas.backups.source import source_at
from emulation_saas.backups.streaming import SLOT
from emulation_saas.postgres.embedded.binaries import programs_for
from emulation_saas.postgres.embedded.identity import DatabaseUser, database_user
from emulation_saas.postgres.embedded.tether import tethered
from emulation_saas.postgres.server import BACKUP_ROLE, LOGIN_ROLES
from tests.deploy.certificates import make_certificate
from tests.deploy.lagging import Link
from tests.serving import free_port

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
START_S: Final = 150.0
DATABASE: Final = "emulation"
ENCRYPTED: Final = re.compile(r"^ +ssl.*\n", re.MULTILINE)
"""What the wheel's PostgreSQL, made without TLS, cannot do."""
TLS: Final = re.compile(r"/etc/\w+/tls")
UNAUTHORIZED: Final = 401


def find_etcd() -> str | None:
    """Return the program, if it is installed (Debian: etcd-server)."""
    return shutil.which("etcd")


@dataclass
class Node:
    """One machine: its addresses and its processes."""

    name: str
    folder: Path
    link: Link | None = None
    sql: int = field(default_factory=free_port)
    replication: int = field(default_factory=free_port)
    """Where the others reach its PostgreSQL, over a link that takes its time."""
    rest: int = field(default_factory=free_port)
    client: int = field(default_factory=free_port)
    peer: int = field(default_factory=free_port)
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list["subprocess.Popen[bytes]"])

    def postmaster(self) -> int | None:
        """Return the process of its PostgreSQL; None when there is none."""
        try:
            pid = int((self.folder / "pg" / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid


class Cluster:
    """Three nodes, each of which can be lost as a whole."""

    def __init__(self, folder: Path, *, etcd: str, is_synchronous: bool, delay_s: float) -> None:
        """Prepare; see `start`.

        Args:
            folder: empty; every user may enter it.
            etcd: the program.
            is_synchronous: as the configuration says; False for the mutant that acknowledges what is kept once.
            delay_s: of each byte between the nodes' PostgreSQL.
        """
        self._folder = folder
        self._etcd = etcd
        self._delay_s = delay_s
        self._user = database_user(folder / "none", wanted=None, report=_nothing)
        self._programs = programs_for(self._user, report=_nothing)
        self._python = _python_for(self._user)
        names = ("postgres", "replicator", "rewind", "patroni", *LOGIN_ROLES, BACKUP_ROLE)
        self._secrets = {name: secrets.token_hex(16) for name in names}
        self.nodes = [Node(f"db{number}", folder / f"db{number}") for number in (1, 2, 3)]
        self._tls = folder / "tls"
        self._make_tls()
        text = (DEPLOY / "patroni.yml").read_text(encoding="utf-8")
        text = TLS.sub(str(self._tls), ENCRYPTED.sub("", text).replace("hostssl ", "host "))
        if not is_synchronous:
            text = text.replace("synchronous_mode: true", "synchronous_mode: false")
            text = text.replace("synchronous_mode_strict: true", "synchronous_mode_strict: false")
        self._configuration = folder / "patroni.yml"
        self._configuration.write_text(text, encoding="utf-8")
        self._is_synchronous = is_synchronous

    @property
    def url(self) -> str:
        """All nodes, in one base URL for the service."""
        hosts = ",".join(f"127.0.0.1:{node.sql}" for node in self.nodes)
        return f"postgresql://{hosts}/{DATABASE}?passfile={self._folder / 'passfile'}&sslmode=disable"

    async def start(self) -> None:
        """Start all nodes; return when there is a primary that others follow, with the service's roles."""
        for node in self.nodes:
            node.folder.mkdir()
            for part in (node.folder, node.folder / "etcd"):
                part.mkdir(exist_ok=True)
                self._user.give(part)
            node.link = Link(node.sql, delay_s=self._delay_s)
            await node.link.open(node.replication)
            self.revive(node)
        await self.settled(len(self.nodes))
        await self._provision()

    def revive(self, node: Node) -> None:
        """Start what runs on a node."""
        assert node.link is not None
        node.link.mend()
        client, peer = f"https://127.0.0.1:{node.client}", f"https://127.0.0.1:{node.peer}"
        of_etcd = self._environment("etcd") | {
            "ETCD_NAME": node.name,
            "ETCD_DATA_DIR": str(node.folder / "etcd"),
            "ETCD_LISTEN_CLIENT_URLS": client,
            "ETCD_ADVERTISE_CLIENT_URLS": client,
            "ETCD_LISTEN_PEER_URLS": peer,
            "ETCD_INITIAL_ADVERTISE_PEER_URLS": peer,
            "ETCD_INITIAL_CLUSTER": ",".join(f"{each.name}=https://127.0.0.1:{each.peer}" for each in self.nodes),
        }
        of_patroni = self._environment("patroni") | {
            "PATRONI_NAME": node.name,
            "PATRONI_ETCD3_HOSTS": ",".join(f"127.0.0.1:{each.client}" for each in self.nodes),
            "PATRONI_RESTAPI_LISTEN": f"127.0.0.1:{node.rest}",
            "PATRONI_RESTAPI_CONNECT_ADDRESS": f"127.0.0.1:{node.rest}",
            "PATRONI_RESTAPI_ALLOWLIST": "127.0.0.1",
            "PATRONI_POSTGRESQL_LISTEN": f"127.0.0.1:{node.sql}",
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": f"127.0.0.1:{node.replication}",
            "PATRONI_POSTGRESQL_DATA_DIR": str(node.folder / "pg"),
            "PATRONI_POSTGRESQL_BIN_DIR": str(self._programs),
            "PATRONI_POSTGRESQL_PGPASS": str(node.folder / "pgpass"),
        }
        for name in of_patroni:
            if name.endswith("_PASSWORD"):
                of_patroni[name] = self._secrets[of_patroni[f"{name.removesuffix('PASSWORD')}USERNAME"]]
        patroni = [*self._python, "-m", "patroni", str(self._configuration)]
        node.processes = [
            self._run(node, "etcd.log", [self._etcd], of_etcd),
            self._run(node, "patroni.log", patroni, of_patroni),
        ]

    def lose(self, node: Node) -> None:
        """Take away a node as a power cut does: all its processes, and what is on its way to the others."""
        assert node.link is not None
        node.link.cut()
        pids = [process.pid for process in reversed(node.processes)]
        for pid in [*pids[:1], *filter(None, [node.postmaster()]), *pids[1:]]:
            os.kill(pid, signal.SIGKILL)
        for process in node.processes:
            process.wait()
        node.processes = []

    async def settled(self, members: int) -> Node:
        """Wait until so many nodes are at work, one of them the primary, another its synchronous standby; return it."""
        until = monotonic() + START_S
        while monotonic() < until:
            told = [member for member in await self._members() if member["state"] in {"running", "streaming"}]
            roles = [member["role"] for member in told]
            if len(told) == members and "leader" in roles and ("sync_standby" in roles) is self._is_synchronous:
                return next(node for node in self.nodes for each in told if (node.name, "leader") == _place(each))
            await asyncio.sleep(0.2)
        raise RuntimeError(f"the nodes do not find together: {await self._members()}")

    async def close(self) -> None:
        """Leave nothing of it."""
        for node in self.nodes:
            if node.processes:
                self.lose(node)
            if node.link is not None:
                await node.link.close()

    async def faults(self) -> list[str]:
        """Return what is wrong with how the nodes are guarded, and with what a backup needs of them."""
        primary = await self.settled(len(self.nodes))
        found: list[str] = []
        async with self._asking() as client:
            for password, wanted in (("", UNAUTHORIZED), (self._secrets["patroni"], httpx.codes.OK)):
                change = {"synchronous_mode": self._is_synchronous}
                auth = httpx.USE_CLIENT_DEFAULT if not password else httpx.BasicAuth("patroni", password)
                answer = await client.patch(f"https://127.0.0.1:{primary.rest}/config", json=change, auth=auth)
                if answer.status_code != wanted:
                    found.append(f"with password {bool(password)} a change gets {answer.status_code}")
        for node in self.nodes:
            connection = await asyncpg.connect(database="postgres", **self._superuser(node))
            slots = await connection.fetchval("SELECT array_agg(slot_name::text) FROM pg_replication_slots")
            if SLOT not in slots:
                found.append(f"{node.name} has no slot for the stream")
            if await connection.fetchval("SHOW summarize_wal") != "on":
                found.append(f"{node.name} keeps no summaries for incremental backups")
            await connection.close()
        # All nodes, as the stream has to find the primary by itself.
        url = f"{self.url.replace('/passfile&', '/backup-passfile&')}&target_session_attrs=primary"
        await asyncio.to_thread(source_at, url)
        return found

    async def _members(self) -> list[dict[str, Any]]:
        """Return what Patroni tells of its nodes, asking whoever answers."""
        async with self._asking() as client:
            for node in self.nodes:
                try:
                    answer = await client.get(f"https://127.0.0.1:{node.rest}/cluster")
                except httpx.HTTPError:
                    continue
                members: list[dict[str, Any]] = answer.json()["members"]
                return members
        return []

    async def _provision(self) -> None:
        """Do by the first steps of `deploy/README.md` what a DBA does once."""
        primary = await self.settled(len(self.nodes))
        address = self._superuser(primary)
        first = await asyncpg.connect(database="postgres", **address)
        await first.execute(f"CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0")
        await first.close()
        connection = await asyncpg.connect(database=DATABASE, **address)
        await connection.execute((files("emulation_saas.postgres") / "roles.sql").read_text(encoding="utf-8"))
        for role in (*LOGIN_ROLES, BACKUP_ROLE):
            await connection.execute(f"ALTER ROLE {role} PASSWORD '{self._secrets[role]}'")
        await connection.close()
        for name, roles in (("passfile", LOGIN_ROLES), ("backup-passfile", (BACKUP_ROLE,))):
            lines = "".join(f"*:*:*:{role}:{self._secrets[role]}\n" for role in roles)
            (self._folder / name).write_text(lines, encoding="utf-8")
            (self._folder / name).chmod(0o600)

    def _superuser(self, node: Node) -> dict[str, Any]:
        """Return how asyncpg gets to a node's PostgreSQL."""
        address = {"host": "127.0.0.1", "port": node.sql, "ssl": False}
        return {**address, "user": "postgres", "password": self._secrets["postgres"]}

    def _asking(self) -> httpx.AsyncClient:
        """Return a client of Patroni's own interface."""
        trust = ssl.create_default_context(cafile=str(self._tls / "ca.crt"))
        return httpx.AsyncClient(trust_env=False, timeout=2, verify=trust)

    def _make_tls(self) -> None:
        """Make what a machine's certificates are, one for all three, which is its own authority."""
        self._tls.mkdir()
        make_certificate(self._tls / "server.crt", self._tls / "server.key")
        shutil.copy(self._tls / "server.crt", self._tls / "ca.crt")
        for path in self._tls.iterdir():
            self._user.give(path)

    def _environment(self, name: str) -> dict[str, str]:
        """Return what the example of an environment says, with this place's certificates."""
        text = (DEPLOY / f"{name}.environment.example").read_text(encoding="utf-8")
        lines = shlex.split(TLS.sub(str(self._tls), text), comments=True)
        return dict(line.split("=", 1) for line in lines)

    def _run(
        self, node: Node, log: str, program: Sequence[str], environment: dict[str, str]
    ) -> "subprocess.Popen[bytes]":
        identity = {"uid": self._user.uid, "gid": self._user.gid} if self._user.switched else {}
        with (node.folder / log).open("ab") as output:
            return subprocess.Popen(
                tethered(program, death_signal=signal.SIGKILL, **identity),
                cwd=node.folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(node.folder), **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )


def _python_for(user: DatabaseUser) -> list[str]:
    """Return the argv of a Python with our packages that `user` can run: root's own may lie under a closed home."""
    if user.can_reach(Path(sys.executable).resolve().parent):
        return [sys.executable]
    system = shutil.which(f"python{sys.version_info.major}.{sys.version_info.minor}", path="/usr/local/bin:/usr/bin")
    if system is None:
        raise RuntimeError(f"{user.name} can run no Python {sys.version_info.major}.{sys.version_info.minor}")
    return ["/usr/bin/env", f"PYTHONPATH={Path(str(files('patroni'))).parent}", system, "-S"]


def _place(member: dict[str, Any]) -> tuple[str, str]:
    return member["name"], member["role"]


def _nothing(_: str) -> None:
    """Say nothing."""
