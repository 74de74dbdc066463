"""What stands in `deploy/` fits the service: its settings, its commands, its limits."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from emulation_saas.__main__ import main
from emulation_saas.http.limits import (
    BODY_BYTES_MAX,
    HEADER_BYTES_MAX,
    REQUESTS_PER_PROVINCE_MAX,
    STREAMS_PER_PROVINCE_MAX,
)
from emulation_saas.settings import settings_from

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
UNITS: Final = sorted((DEPLOY / "systemd").glob("emulation-saas*.service"))
"""Of the service's own commands; Patroni's is another's."""
NGINX: Final = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")


def environment() -> Mapping[str, str]:
    lines = shlex.split((DEPLOY / "environment.example").read_text(encoding="utf-8"), comments=True)
    return dict(line.split("=", 1) for line in lines)


def test_the_example_of_an_environment_is_one() -> None:
    settings = settings_from(environment())
    assert settings.database_url is not None
    assert [each.issuer for each in settings.issuers] == ["https://id.example"]
    assert settings.log_origin == "emulation.example"


def test_the_backup_logs_in_by_a_passfile_of_its_own() -> None:
    lines = shlex.split((DEPLOY / "backup-environment.example").read_text(encoding="utf-8"), comments=True)
    settings = settings_from({**environment(), **dict(line.split("=", 1) for line in lines)})
    assert "backup-passfile" in (settings.database_url or "")
    for kind in ("backup", "backup-stream"):
        unit = (DEPLOY / "systemd" / f"emulation-saas-{kind}.service").read_text(encoding="utf-8")
        assert f"\nReadWritePaths={settings.backups}\n" in unit
        assert "\nUser=emulation-backup\n" in unit
    service = (DEPLOY / "systemd" / "emulation-saas.service").read_text(encoding="utf-8")
    (state,) = re.findall(r"^StateDirectory=(.+)$", service, re.MULTILINE)
    assert settings.witness == Path("/var/lib") / state


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_there_is(unit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (started,) = re.findall(r"^ExecStart=\S+/emulation-saas (.+)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    with pytest.raises(SystemExit) as ended:
        main([*started.split(), "--help"])
    assert ended.value.code == 0
    assert started.split()[0] in capsys.readouterr().out


def test_a_unit_reads_the_one_environment_and_gains_no_privileges() -> None:
    assert len(UNITS) == 4
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        assert "EnvironmentFile=/etc/emulation/environment\n" in text
        assert "NoNewPrivileges=yes\n" in text
        assert "ProtectSystem=strict\n" in text


def test_the_proxy_refuses_nothing_that_the_service_takes() -> None:
    body = re.search(r"client_max_body_size (\d+)k;", NGINX)
    header = re.search(r"large_client_header_buffers (\d+) (\d+)k;", NGINX)
    assert body is not None
    assert header is not None
    assert int(body[1]) * 1024 >= BODY_BYTES_MAX
    assert int(header[1]) * int(header[2]) * 1024 >= HEADER_BYTES_MAX


def test_the_proxy_lets_a_whole_province_ask_from_one_address() -> None:
    rate = re.search(r"limit_req_zone \$binary_remote_addr .* rate=(\d+)r/s;", NGINX)
    connections = re.search(r"limit_conn emulation_connections (\d+);", NGINX)
    assert rate is not None
    assert connections is not None
    assert int(rate[1]) >= settings_from({}).requests_per_province
    assert int(connections[1]) >= STREAMS_PER_PROVINCE_MAX + REQUESTS_PER_PROVINCE_MAX


@pytest.mark.parametrize(
    ("path", "is_stream"),
    [
        ("/v1/provinces/bac-song/events", True),
        ("/v1/provinces/bac-song/consumers/cong-01/events", True),
        ("/v1/provinces/bac-song/log/export", True),
        ("/v1/provinces/bac-song/events/7", False),
        ("/v1/provinces/bac-song/agencies", False),
    ],
)
def test_the_proxy_buffers_no_stream(path: str, *, is_stream: bool) -> None:
    (streams,) = re.findall(r"location ~ (\S+) \{\s+proxy_buffering off;", NGINX)
    assert (re.search(streams, path) is not None) is is_stream
