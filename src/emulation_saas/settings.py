"""What an operator may set, from the environment. Wrong settings stop the service before it starts, and say why."""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from ipaddress import ip_network
from os import R_OK, access
from pathlib import Path
from ssl import create_default_context
from typing import Annotated, Any, Final, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta
from ssrfguard import Policy

from emulation_saas.postgres.server import APP_ROLE, role_dsn

PREFIX: Final = "EMULATION_"
NO_TRACES: Final = "none"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_ORIGIN: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?")


class SettingsError(Exception):
    """The settings are wrong; the message says which and why, one line each."""


class Issuer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An issuer whose tokens are accepted."""

    issuer: Annotated[str, Meta(min_length=1, max_length=255)]
    audience: Annotated[str, Meta(min_length=1, max_length=255)]
    jwks: Annotated[str, Meta(min_length=1, max_length=2000)]


class Operator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A platform operator, as tokens name them."""

    issuer: Annotated[str, Meta(min_length=1, max_length=255)]
    sub: Annotated[str, Meta(min_length=1, max_length=255)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an operator may set. Each is read from `EMULATION_` and its name in capitals."""

    database_url: Annotated[
        str | None,
        Meta(description="PostgreSQL 17 or 18 to use, as a postgresql:// URL; without it the embedded one starts"),
    ] = None
    data: Annotated[
        Path | None,
        Meta(
            description="Directory of the embedded database and of the local issuer's key; by default in the user's "
            "own data directory, for root /var/lib/emulation-saas"
        ),
    ] = None
    master_key: Annotated[
        Path | None,
        Meta(
            description="File of the master key, which wraps the keys of personal data (32 random bytes in base64, "
            "mode 0600); needed with a database of one's own, else made in the data directory. Lost, all names are gone"
        ),
    ] = None
    backups: Annotated[Path | None, Meta(description="Directory of the backups, on another disk")] = None
    synchronous: Annotated[
        bool,
        Meta(
            description="Of the embedded database: acknowledge a commit once `backup stream` has it, too, and wait "
            "while it has not; with a database of one's own, that is its synchronous_standby_names"
        ),
    ] = False
    witness: Annotated[
        Path | None,
        Meta(
            description="Directory outside the database, for the newest checkpoint of each province that was signed: "
            "what stands behind it after a restore is noticed, and neither served nor signed"
        ),
    ] = None
    host: Annotated[str, Meta(description="Address to listen on", min_length=1, max_length=255)] = "127.0.0.1"
    port: Annotated[int, Meta(description="Port to listen on; 0 takes a free one", ge=0, le=65_535)] = 8080
    workers: Annotated[int, Meta(description="Worker processes", ge=1, le=64)] = 2
    issuers: Annotated[
        tuple[Issuer, ...],
        Meta(
            description="Whose tokens are accepted: a JSON list of {issuer, audience, jwks}; jwks: a path or https URL",
            max_length=20,
        ),
    ] = ()
    operators: Annotated[
        tuple[Operator, ...],
        Meta(description="Who may open provinces: a JSON list of {issuer, sub}", max_length=100),
    ] = ()
    requests_per_person: Annotated[
        int,
        Meta(
            description="Requests a second that one person may make in one province, at each worker; a tenth of a "
            "second's worth may come at once",
            ge=1,
            le=1_000_000,
        ),
    ] = 200
    requests_per_province: Annotated[
        int, Meta(description="The same of all persons of a province together", ge=1, le=1_000_000)
    ] = 2_000
    events_per_province: Annotated[
        int,
        Meta(
            description="Events that a province's log is to hold: from there on no agency, bloc, member, year or "
            "webhook is added, and what has begun goes on",
            ge=1,
            le=2**53,
        ),
    ] = 20_000_000
    log_origin: Annotated[
        str,
        Meta(description="First part of every log's origin, a host name of yours; never changes once a log is opened"),
    ] = "emulation.local"
    nats_url: Annotated[
        str | None,
        Meta(
            description="NATS servers with JetStream to which every province's log is carried: nats:// or tls:// URLs, "
            "separated by commas; needs the extra `nats`"
        ),
    ] = None
    nats_credentials: Annotated[Path | None, Meta(description="NATS credentials file (user JWT and seed)")] = None
    nats_ca: Annotated[
        Path | None, Meta(description="Certificates to trust of NATS servers, in PEM; by default those of the system")
    ] = None
    nats_prefix: Annotated[
        str,
        Meta(
            description="Of NATS streams (`td-{province}`) and subjects (`td.{province}.{type}`)",
            pattern=r"^[a-z0-9][a-z0-9-]{0,39}$",
        ),
    ] = "td"
    nats_events: Annotated[
        Literal["public", "unsealed"],
        Meta(
            description="Which events NATS is given: `public`, those that everybody with a role in the province may "
            "read; `unsealed`, all but the sealed ones"
        ),
    ] = "public"
    webhook_networks: Annotated[
        tuple[str, ...],
        Meta(
            description="Networks that webhooks may go to although they are not public: a JSON list of CIDR blocks",
            max_length=100,
        ),
    ] = ()
    webhook_ports: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=65_535)], ...],
        Meta(description="Ports that webhooks may be sent to: a JSON list", min_length=1, max_length=100),
    ] = (443, 8443)
    webhook_ca: Annotated[
        Path | None,
        Meta(
            description="File of certificates (PEM) that webhook receivers' may be signed by, beside public authorities"
        ),
    ] = None


class Setting(msgspec.Struct, frozen=True):
    """One line of the README's table."""

    variable: str
    default: str
    meaning: str


def settings_table() -> list[Setting]:
    """Return every setting with its default and meaning, for the README and for `--help`."""
    hints = get_type_hints(Settings, include_extras=True)
    return [
        Setting(
            variable=PREFIX + field.name.upper(),
            default=_spell(field.default),
            meaning=next(str(meta.description) for meta in hints[field.name].__metadata__ if isinstance(meta, Meta)),
        )
        for field in msgspec.structs.fields(Settings)
    ]


def settings_from(environment: Mapping[str, str], options: Mapping[str, object] | None = None) -> Settings:
    """Return the settings of an environment, and above them those of a command, by the names of their fields.

    Raises:
        SettingsError: a value is wrong, or a name beginning with EMULATION_ is none of ours.
    """
    faults: list[str] = []
    values: dict[str, Any] = {}
    fields = {field.name: field for field in msgspec.structs.fields(Settings)}
    names = {PREFIX + name.upper(): name for name in fields}
    ours = sorted(variable for variable in environment if variable.startswith(PREFIX))
    told = {names.get(variable, variable): (variable, environment[variable].strip()) for variable in ours}
    told |= {name: (f"--{name.replace('_', '-')}", str(value)) for name, value in (options or {}).items()}
    for name, (source, text) in told.items():
        if name not in fields:
            faults.append(f"{source}: there is no such setting")
        elif text:
            try:
                values[name] = _read(text, fields[name].type)
            except (msgspec.MsgspecError, ValueError) as error:
                faults.append(f"{source}: {error}")
    settings = Settings(**values)
    faults += _contradictions(settings) + _faults_of_tracing(environment)
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def _read(text: str, kind: Any) -> Any:  # noqa: ANN401 - a type, and a value of it
    if text.startswith("["):
        return msgspec.json.decode(text, type=kind)
    return msgspec.convert(text, type=kind, strict=False, dec_hook=_path)


def _path(_: type, text: str) -> Path:
    """Read the only type of a setting that msgspec does not know."""
    return Path(text)


def _contradictions(settings: Settings) -> list[str]:
    faults: list[str] = []
    try:
        if settings.database_url is not None:
            role_dsn(settings.database_url, APP_ROLE)
    except ValueError as error:
        faults.append(f"{PREFIX}DATABASE_URL: {error}")
    if not _ORIGIN.fullmatch(settings.log_origin):
        faults.append(f"{PREFIX}LOG_ORIGIN: a host name in lower case, at most 100 characters")
    if len({issuer.issuer for issuer in settings.issuers}) < len(settings.issuers):
        faults.append(f"{PREFIX}ISSUERS: an issuer is named twice")
    for jwks in (issuer.jwks for issuer in settings.issuers):
        if not _may_be_trusted(jwks):
            wanted = "an absolute path nor an https URL (http only to this machine)"
            faults.append(f"{PREFIX}ISSUERS: {jwks!r} is neither {wanted}")
        elif Path(jwks).is_absolute() and not access(jwks, R_OK):
            faults.append(f"{PREFIX}ISSUERS: there is no file {jwks} that can be read")
    return faults + _faults_of_webhooks(settings) + _faults_of_nats(settings) + _faults_of_files(settings)


def _faults_of_files(settings: Settings) -> list[str]:
    faults: list[str] = []
    for name in ("nats_credentials", "nats_ca", "webhook_ca"):
        path: Path | None = getattr(settings, name)
        try:
            if path is not None and not path.is_file():
                faults.append(f"{PREFIX}{name.upper()}: there is no file {path}")
            elif path is not None and name.endswith("_ca"):
                create_default_context(cafile=path)
        except OSError as error:
            faults.append(f"{PREFIX}{name.upper()}: no certificates in PEM can be read from {path}: {error}")
    return faults


def _faults_of_nats(settings: Settings) -> list[str]:
    faults: list[str] = []
    if settings.nats_url is not None:
        if find_spec("nats") is None:
            faults.append(f"{PREFIX}NATS_URL: needs the extra `nats`: pip install 'emulation-saas[nats]'")
        if any(urlsplit(url).scheme not in {"nats", "tls"} for url in settings.nats_url.split(",")):
            faults.append(f"{PREFIX}NATS_URL: each begins with nats:// or tls://")
    return faults


def _faults_of_tracing(environment: Mapping[str, str]) -> list[str]:
    exporter = environment.get("OTEL_TRACES_EXPORTER", NO_TRACES) or NO_TRACES
    if exporter not in {NO_TRACES, "otlp", "console"}:
        return ["OTEL_TRACES_EXPORTER: none, otlp or console"]
    if exporter != NO_TRACES and find_spec("opentelemetry.sdk") is None:
        return ["OTEL_TRACES_EXPORTER: needs the extra `tracing`: pip install 'emulation-saas[tracing]'"]
    return []


def traces_of(environment: Mapping[str, str]) -> bool:
    """Tell whether requests are to be traced, by the standard variable; unlike there, not by default."""
    return (environment.get("OTEL_TRACES_EXPORTER") or NO_TRACES) != NO_TRACES


def _faults_of_webhooks(settings: Settings) -> list[str]:
    try:
        Policy(allowed_networks=tuple(ip_network(network) for network in settings.webhook_networks))
    except ValueError as error:
        return [f"{PREFIX}WEBHOOK_NETWORKS: {error}"]
    return []


def _may_be_trusted(jwks: str) -> bool:
    """Tell whether keys may come from there: from a file, by TLS, or from this machine."""
    location = urlsplit(jwks)
    if location.scheme == "http":
        return location.hostname in _LOOPBACK
    return Path(jwks).is_absolute() or (location.scheme == "https" and bool(location.hostname))


def _spell(default: Any) -> str:  # noqa: ANN401 - any default
    return (
        "" if default is None else msgspec.json.encode(default).decode() if isinstance(default, tuple) else str(default)
    )
