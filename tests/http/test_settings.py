"""Settings come from the environment, and wrong ones stop the service with every fault named."""

import sys
from pathlib import Path

import pytest

from emulation_saas.settings import Issuer, Operator, Settings, SettingsError, settings_from, settings_table
from tests.deploy.certificates import make_certificate

ISSUER = '{"issuer":"https://id.example","audience":"emulation","jwks":"https://id.example/keys"}'


def test_nothing_set_means_the_defaults() -> None:
    assert settings_from({"PATH": "/bin", "EMULATION_PORT": " "}) == Settings()


def test_everything_can_be_set(tmp_path: Path) -> None:
    credentials, ca = tmp_path / "nats.creds", tmp_path / "ca.pem"
    credentials.touch()
    make_certificate(ca, tmp_path / "key.pem")
    given = {
        "EMULATION_DATABASE_URL": "postgresql://db.example/emulation",
        "EMULATION_DATA": "/srv/emulation",
        "EMULATION_MASTER_KEY": "/srv/keys/master.key",
        "EMULATION_BACKUPS": "/srv/backups",
        "EMULATION_SYNCHRONOUS": "true",
        "EMULATION_WITNESS": "/srv/witness",
        "EMULATION_HOST": "0.0.0.0",  # noqa: S104 - a value like any other here
        "EMULATION_PORT": "80",
        "EMULATION_WORKERS": "4",
        "EMULATION_ISSUERS": f"[{ISSUER}]",
        "EMULATION_OPERATORS": '[{"issuer":"https://id.example","sub":"root"}]',
        "EMULATION_REQUESTS_PER_PERSON": "20",
        "EMULATION_REQUESTS_PER_PROVINCE": "300",
        "EMULATION_EVENTS_PER_PROVINCE": "4000",
        "EMULATION_LOG_ORIGIN": "emulation.gov.example",
        "EMULATION_NATS_URL": "tls://nats-1.example,tls://nats-2.example",
        "EMULATION_NATS_CREDENTIALS": str(credentials),
        "EMULATION_NATS_CA": str(ca),
        "EMULATION_NATS_PREFIX": "thi-dua",
        "EMULATION_NATS_EVENTS": "unsealed",
        "EMULATION_WEBHOOK_NETWORKS": '["10.1.0.0/16"]',
        "EMULATION_WEBHOOK_PORTS": "[443]",
        "EMULATION_WEBHOOK_CA": str(ca),
    }
    assert set(given) == {line.variable for line in settings_table()}
    assert settings_from(given) == Settings(
        database_url="postgresql://db.example/emulation",
        data=Path("/srv/emulation"),
        master_key=Path("/srv/keys/master.key"),
        backups=Path("/srv/backups"),
        synchronous=True,
        witness=Path("/srv/witness"),
        host="0.0.0.0",  # noqa: S104 - as above
        port=80,
        workers=4,
        issuers=(Issuer(issuer="https://id.example", audience="emulation", jwks="https://id.example/keys"),),
        operators=(Operator(issuer="https://id.example", sub="root"),),
        requests_per_person=20,
        requests_per_province=300,
        events_per_province=4_000,
        log_origin="emulation.gov.example",
        nats_url="tls://nats-1.example,tls://nats-2.example",
        nats_credentials=credentials,
        nats_ca=ca,
        nats_prefix="thi-dua",
        nats_events="unsealed",
        webhook_networks=("10.1.0.0/16",),
        webhook_ports=(443,),
        webhook_ca=ca,
    )


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("EMULATION_PORT", "http", "int"),
        ("EMULATION_PORT", "65536", "65535"),
        ("EMULATION_PORT", "-1", "0"),
        ("EMULATION_WORKERS", "0", "1"),
        ("EMULATION_WORKERS", "65", "64"),
        ("EMULATION_REQUESTS_PER_PERSON", "0", "1"),
        ("EMULATION_REQUESTS_PER_PROVINCE", "1000001", "1000000"),
        ("EMULATION_EVENTS_PER_PROVINCE", "-1", "1"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "none, otlp or console"),
        ("EMULATION_HOST", "x" * 256, "length"),
        ("EMULATION_ISSUER", f"[{ISSUER}]", "no such setting"),
        ("EMULATION_ISSUERS", "[", "truncated"),
        ("EMULATION_ISSUERS", "https://id.example", "array"),
        ("EMULATION_ISSUERS", '[{"issuer":"a","audience":"b"}]', "jwks"),
        ("EMULATION_ISSUERS", f"[{ISSUER.replace('keys', 'k')},{ISSUER}]", "twice"),
        ("EMULATION_ISSUERS", f"[{ISSUER.replace('https://id.example/keys', 'keys.json')}]", "absolute path"),
        ("EMULATION_ISSUERS", f"[{ISSUER.replace('https://id.example/keys', 'http://id.example/k')}]", "https"),
        ("EMULATION_ISSUERS", f"[{ISSUER.replace('https://id.example/keys', 'https://')}]", "https"),
        ("EMULATION_OPERATORS", '[{"issuer":"a","sub":"b","role":"c"}]', "role"),
        ("EMULATION_NATS_URL", "nats://a.example,http://b.example", "nats://"),
        ("EMULATION_NATS_CREDENTIALS", "/nowhere/nats.creds", "no file"),
        ("EMULATION_NATS_CA", "/nowhere/ca.pem", "no file"),
        ("EMULATION_NATS_PREFIX", "td.x", "regex"),
        ("EMULATION_NATS_EVENTS", "all", "all"),
        ("EMULATION_DATABASE_URL", "mysql://db.example", "postgresql://"),
        ("EMULATION_LOG_ORIGIN", "Emulation Gov", "host name"),
        ("EMULATION_LOG_ORIGIN", "x" * 101, "host name"),
        ("EMULATION_WEBHOOK_NETWORKS", '["10.1.0.1/16"]', "host bits"),
        ("EMULATION_WEBHOOK_NETWORKS", '["64:ff9b::/96"]', "64:ff9b"),
        ("EMULATION_WEBHOOK_PORTS", "[]", "length"),
        ("EMULATION_WEBHOOK_PORTS", "[65536]", "65535"),
        ("EMULATION_WEBHOOK_CA", "/nowhere/ca.pem", "no file"),
        ("EMULATION_WEBHOOK_CA", __file__, "no certificates in PEM"),
        ("EMULATION_NATS_CA", __file__, "no certificates in PEM"),
        ("EMULATION_DATABASE_URL", "postgresql://u:p@db.example/emulation", "must not name a user"),
        ("EMULATION_DATABASE_URL", "postgresql://db.example/emulation?user=u", "must not name a user"),
        ("EMULATION_DATABASE_URL", "postgresql://[::1/emulation", "Invalid IPv6 URL"),
        ("EMULATION_ISSUERS", f"[{ISSUER.replace('https://id.example/keys', '/nowhere/keys.json')}]", "no file"),
    ],
)
def test_a_wrong_setting_stops_the_service_and_says_why(variable: str, value: str, why: str) -> None:
    with pytest.raises(SettingsError) as raised:
        settings_from({variable: value})
    assert str(raised.value).startswith(f"{variable}: ")
    assert why in str(raised.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        settings_from({"EMULATION_PORT": "x", "EMULATION_WORKERS": "x", "EMULATION_NOISE": "1"})
    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == [
        "EMULATION_NOISE",
        "EMULATION_PORT",
        "EMULATION_WORKERS",
    ]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [("workers", 0, ">= 1"), ("port", 70_000, "<= 65535"), ("database_url", "junk", "postgresql://")],
)
def test_what_a_command_is_given_is_judged_like_a_setting(name: str, value: object, why: str) -> None:
    with pytest.raises(SettingsError, match=f"(--{name}|EMULATION_{name.upper()}): .*{why}"):
        settings_from({}, {name: value})


def test_what_a_command_is_given_stands_above_the_environment() -> None:
    told = settings_from({"EMULATION_PORT": "80", "EMULATION_HOST": "here"}, {"port": 81, "data": Path("/srv")})
    assert told == Settings(port=81, host="here", data=Path("/srv"))


@pytest.mark.parametrize("jwks", ["http://127.0.0.1:9/keys", "http://localhost/keys", "http://[::1]/keys", __file__])
def test_keys_may_come_from_this_machine(jwks: str) -> None:
    told = settings_from({"EMULATION_ISSUERS": f"[{ISSUER.replace('https://id.example/keys', jwks)}]"})
    assert told.issuers[0].jwks == jwks


def test_every_setting_is_documented() -> None:
    table = settings_table()
    assert [line.variable for line in table] == ["EMULATION_" + name.upper() for name in Settings.__struct_fields__]
    assert all(line.meaning for line in table)
    assert {line.variable: line.default for line in table}["EMULATION_LOG_ORIGIN"] == "emulation.local"


def test_nats_without_its_extra_is_refused_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    settings_from({"EMULATION_NATS_URL": "nats://nats.example"})
    monkeypatch.setitem(sys.modules, "nats", None)  # as where it is not installed
    with pytest.raises(SettingsError, match=r"emulation-saas\[nats\]"):
        settings_from({"EMULATION_NATS_URL": "nats://nats.example"})
