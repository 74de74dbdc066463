"""The command line; `emulation-saas --help` lists its commands."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from emulation_saas.arguments import subject, whole
from emulation_saas.audit import verifier
from emulation_saas.audit.witness import BehindWitnessError
from emulation_saas.backing_up import Answer, add_backup, add_restore, back_up, restore
from emulation_saas.backups.faults import BackupError
from emulation_saas.comparing import add_compare, compare
from emulation_saas.demo.running import run as run_demo
from emulation_saas.doctor import diagnose
from emulation_saas.exporting import ExportError, add_export, run_export
from emulation_saas.generating.running import GenerateError, add_arguments, plans_of
from emulation_saas.generating.running import run as run_generate
from emulation_saas.http.local_issuer import LocalIssuer
from emulation_saas.http.server import serve
from emulation_saas.log.key_files import KeyExposedError
from emulation_saas.log.keyring import rewrap
from emulation_saas.log.master_key import MasterKeyError, read_master_key
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgresError
from emulation_saas.postgres.migrating import MigrationError
from emulation_saas.postgres.server import ServerRefusedError
from emulation_saas.projecting.rebuild import rebuild
from emulation_saas.reentering import add_reenter, reenter
from emulation_saas.replaying import add_replay
from emulation_saas.serving import data_directory, database_url_of, master_key_path, supervisor_of, tracings_of
from emulation_saas.settings import Settings, SettingsError, settings_from, settings_table
from emulation_saas.supervising import EXIT_FAILED, EXIT_SETTINGS, EXIT_USAGE
from emulation_saas.upgrading import add_migrate, run_migrate
from emulation_saas.wiring import application, logs_of
from projections import PROJECTIONS

_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "database-url": {"help": "which database; without it the embedded one"},
    "data": {"type": Path, "help": "directory of the embedded database, running or not"},
    "master-key": {"type": Path, "help": "file of the master key, with a database of one's own"},
    "json": {"action": "store_true", "help": "print for a machine"},
}
"""What several commands may be told."""
_HOURS_MAX: Final = 8_760
"""For a year a token may be good: nobody can take one back."""
_Commands = Any
"""Where commands are added; the library keeps its type to itself."""
_FAILURES: Final = (
    ServerRefusedError,
    MigrationError,
    EmbeddedPostgresError,
    ExportError,
    BackupError,
    GenerateError,
    asyncpg.PostgresError,
    OSError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 done, 1 failed, 2 wrong usage, 78 wrong settings."""
    options = _parser().parse_args(arguments)
    try:
        settings = _settings(options)
        command: Callable[[Settings, argparse.Namespace], int] = options.command
        return command(settings, options)
    except (SettingsError, MasterKeyError, KeyExposedError, BehindWitnessError) as error:
        _say(str(error))
        return EXIT_SETTINGS
    except _FAILURES as error:
        _say(str(error))
        return EXIT_FAILED


def _settings(options: argparse.Namespace) -> Settings:
    names = (field.name for field in msgspec.structs.fields(Settings))
    return settings_from(
        os.environ, {name: value for name in names if (value := getattr(options, name, None)) is not None}
    )


def _serve(settings: Settings, _: argparse.Namespace) -> int:
    return supervisor_of(settings, report=_say).run()


def _worker(settings: Settings, options: argparse.Namespace) -> int:
    return serve(lambda: application(settings, tracings_of(os.environ)), fd=options.fd)


def _migrate(settings: Settings, options: argparse.Namespace) -> int:
    return run_migrate(_url(settings), options, say=_say, show=_show)


def _doctor(settings: Settings, options: argparse.Namespace) -> int:
    diagnosis = diagnose(settings, say=_say)
    _print(options, diagnosis, diagnosis.text())
    return diagnosis.exit_code


def _rebuild(settings: Settings, options: argparse.Namespace) -> int:
    projection = next((each for each in PROJECTIONS if each.name == options.projection), None)
    if projection is None:
        _say(f"there is no projection {options.projection}; there are: {', '.join(each.name for each in PROJECTIONS)}")
        return EXIT_USAGE
    master = read_master_key(master_key_path(settings))

    async def run() -> int:
        async with (
            open_database(_url(settings)) as database,
            logs_of(database, origin=settings.log_origin, master=master).running() as logs,
        ):
            log = await logs.find(options.province)
            if log is None:
                _say(f"there is no province {options.province}")
                return EXIT_FAILED
            rebuilt = await rebuild(log, database, projection, progress=lambda at, head: _say(f"{at} of {head}"))
        text = f"rebuilt at position {rebuilt.position} from {rebuilt.events} events"
        _print(options, msgspec.to_builtins(rebuilt), text)
        return 0

    return asyncio.run(run())


def _verify(_: Settings, options: argparse.Namespace) -> int:
    return verifier.run(options)


def _rewrap(settings: Settings, options: argparse.Namespace) -> int:
    old, new = read_master_key(master_key_path(settings)), read_master_key(options.new_master_key)

    async def run(url: str) -> int:
        async with open_database(url, app_max=1) as database:
            return await rewrap(database, old, new)

    with database_url_of(settings, report=_say) as url:
        rewrapped = asyncio.run(run(url))
    text = f"{rewrapped} province keys are wrapped by {options.new_master_key}: it is the master key from now on"
    _print(options, {"rewrapped": rewrapped}, text)
    return 0


def _back_up(settings: Settings, options: argparse.Namespace) -> int:
    return _answered(options, back_up(settings, options, say=_say, show=_show))


def _restore(settings: Settings, options: argparse.Namespace) -> int:
    return _answered(options, restore(settings, options, _say))


def _compare(settings: Settings, options: argparse.Namespace) -> int:
    found = compare(settings, options, _say)
    _print(options, msgspec.to_builtins(found), found.told())
    return EXIT_FAILED if found.differs_at is not None else 0


def _reenter(settings: Settings, options: argparse.Namespace) -> int:
    done = reenter(settings, options, _say)
    count = done.last - done.first + 1
    return _answered(
        options, (msgspec.to_builtins(done), f"{count} events appended; {done.province} is at {done.last}")
    )


def _answered(options: argparse.Namespace, answer: Answer) -> int:
    _print(options, *answer)
    return 0


def _export(settings: Settings, options: argparse.Namespace) -> int:
    return run_export(settings, options, say=_say)


def _token(settings: Settings, options: argparse.Namespace) -> int:
    token = LocalIssuer(data_directory(settings)).issue(options.sub, lifetime=timedelta(hours=options.hours))
    _print(options, {"token": token}, token)
    return 0


def _demo(settings: Settings, options: argparse.Namespace) -> int:
    return run_demo(settings, is_once=options.once, is_json=options.json, say=_say, show=_show)


def _generate(settings: Settings, options: argparse.Namespace) -> int:
    summary = run_generate(settings, plans_of(options), say=_say)
    _print(options, msgspec.to_builtins(summary), summary.told())
    return 0


def _url(settings: Settings) -> str:
    if settings.database_url is None:
        msg = "say which database by --database-url or EMULATION_DATABASE_URL"
        raise SettingsError(msg)
    return settings.database_url


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emulation-saas",
        description="Emulation blocs on one verifiable service.",
        epilog="Settings: " + "; ".join(f"{each.variable}: {each.meaning}" for each in settings_table()),
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('emulation-saas')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_service(commands)
    _add_database(commands)
    _add_log(commands)
    return parser


def _add_service(commands: _Commands) -> None:
    serving = _command(commands, "serve", _serve, "run the service until told to stop")
    _add_options(serving, "database-url", "data", "master-key")
    serving.add_argument("--host", help="address to listen on")
    serving.add_argument("--port", type=int, help="port to listen on; 0 takes a free one")
    serving.add_argument("--workers", type=int, help="worker processes")
    working = _command(commands, "worker", _worker, "serve on an inherited socket (the supervisor starts these)")
    working.add_argument("--fd", type=int, required=True, help="the listening socket")
    showing = _command(commands, "demo", _demo, "play the year of one real bloc through the API, show it, and serve")
    showing.add_argument("--once", action="store_true", help="stop once it is shown")
    _add_options(showing, "data", "json")
    generating = _command(commands, "generate", _generate, "make up provinces with valid histories, to try and load")
    add_arguments(generating)
    _add_options(generating, "database-url", "data", "master-key", "json")
    examining = _command(
        commands, "doctor", _doctor, "examine database, roles, keys and lags: 0 fine, 1 not, 2 cannot tell"
    )
    _add_options(examining, "database-url", "data", "master-key", "json")
    issuing = _command(commands, "token", _token, "issue a token of the local issuer (embedded mode)")
    issuing.add_argument("sub", type=subject, help="the subject, such as operator")
    issuing.add_argument("--hours", type=whole(1, _HOURS_MAX), default=12, help="how long it is good (12)")
    _add_options(issuing, "data", "json")


def _add_database(commands: _Commands) -> None:
    add_migrate(_command(commands, "migrate", _migrate, "check the database and bring its schema up to date"))
    rebuilding = _command(commands, "rebuild", _rebuild, "make a projection's documents again from the log")
    rebuilding.add_argument("province", help="the province's handle")
    rebuilding.add_argument("projection", help="the projection's name")
    _add_options(rebuilding, "database-url", "master-key", "json")
    rewrapping = _command(commands, "rewrap", _rewrap, "wrap all province keys by a new master key (service stopped)")
    rewrapping.add_argument("--new-master-key", type=Path, required=True, help="file of the new master key")
    _add_options(rewrapping, "database-url", "data", "master-key", "json")
    add_backup(_command(commands, "backup", _back_up, "copy the whole database: base backups and a stream of its log"))
    add_restore(_command(commands, "restore", _restore, "make a new data directory from backups and the streamed log"))


def _add_log(commands: _Commands) -> None:
    add_export(_command(commands, "export", _export, "write a province's log into a file that can be checked offline"))
    add_replay(verifier.add_commands(_command(commands, "verify", _verify, "check a log offline, trusting nobody")))
    add_compare(_command(commands, "compare", _compare, "compare a province's log with that of a restored database"))
    add_reenter(_command(commands, "reenter", _reenter, "append from an export what a restore has lost of a province"))


def _add_options(parser: argparse.ArgumentParser, *names: str) -> None:
    for name in names:
        parser.add_argument(f"--{name}", **_OPTIONS[name])


def _command(
    commands: _Commands,
    name: str,
    command: Callable[[Settings, argparse.Namespace], int],
    help_: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_, description=help_)
    parser.set_defaults(command=command)
    return parser


def _print(options: argparse.Namespace, machine: object, text: str) -> None:
    sys.stdout.write((msgspec.json.encode(machine).decode() if options.json else text) + "\n")


def _show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
