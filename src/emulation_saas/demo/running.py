"""Runs the demo: the database and the service start, the year is played and shown, and all of it stops in order.

Everything happens in the main thread: children are tied to the thread that started them, and signals come to it.
"""

import signal
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from types import FrameType
from typing import Final

import msgspec

from emulation_saas.demo.account import account_of
from emulation_saas.demo.auditing import audit
from emulation_saas.demo.facts import load_facts
from emulation_saas.demo.following import followed
from emulation_saas.demo.illustrations import load_illustrations
from emulation_saas.demo.library import Library
from emulation_saas.demo.onward import dossier_path, later, onward
from emulation_saas.demo.player import Api, DemoRefusedError, play
from emulation_saas.demo.scene import ADMIN, AUDITOR, INTEGRATOR, Step
from emulation_saas.demo.script import the_year
from emulation_saas.demo.telling import told
from emulation_saas.http.local_issuer import LocalIssuer
from emulation_saas.postgres.embedded import EmbeddedPostgresError
from emulation_saas.serving import LOCAL_OPERATOR, data_directory, supervisor_of
from emulation_saas.settings import Settings
from emulation_saas.supervising import EXIT_FAILED, POLL_S, STOP_SIGNALS, AddressError, Supervisor

HOST: Final = "127.0.0.1"
READY_WITHIN_S: Final = 60.0
LOG_NAME: Final = "demo.log"
"""Where the workers' logs go, in the data directory, so that the progress can be read."""


class _EndedError(BaseException):
    """The demo ends early. Like KeyboardInterrupt, no `except Exception` eats it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Stop:
    """Whether a stop signal came. It interrupts only where something long is waited for; else it is looked at."""

    def __init__(self) -> None:
        self.is_asked = False
        self.is_interruptible = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.is_asked = True
        if self.is_interruptible:
            self.is_interruptible = False
            raise _EndedError(0)

    def check(self) -> None:
        """Raise if a stop was asked for."""
        if self.is_asked:
            raise _EndedError(0)


def run(
    settings: Settings,
    *,
    is_once: bool,
    is_json: bool,
    say: Callable[[str], None],
    show: Callable[[str], None],
) -> int:
    """Play the year, show it, and serve until told to stop; return the exit code.

    Args:
        settings: of them the data directory and the number of workers count; the database is the embedded one.
        is_once: stop once it is shown.
        is_json: show it for a machine.
        say: takes a line of progress.
        show: takes the account, as it is printed.
    """
    settings = msgspec.structs.replace(settings, database_url=None, host=HOST, port=0)
    supervisor = supervisor_of(settings, report=say, worker_log=data_directory(settings) / LOG_NAME)
    with _stopping() as stop:
        try:
            _start(supervisor, stop)
            _play_and_show(settings, supervisor, stop, is_once=is_once, is_json=is_json, say=say, show=show)
            while not is_once:
                _keep_alive(supervisor, stop)
                time.sleep(POLL_S)
        except _EndedError as end:
            return end.code
        except (AddressError, EmbeddedPostgresError, DemoRefusedError) as error:
            say(str(error))
            return EXIT_FAILED
        finally:
            say("stopping")
            supervisor.stop()
    return 0


@contextmanager
def _stopping() -> Generator[_Stop]:
    """Let the stop signals ask for a stop, and give them back afterwards."""
    stop = _Stop()
    before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(supervisor: Supervisor, stop: _Stop) -> None:
    """Start everything and wait until it serves. The first start of the database, or a recovery, may be interrupted."""
    stop.is_interruptible = True
    try:
        stop.check()
        supervisor.start()
    finally:
        stop.is_interruptible = False
    until_s = time.monotonic() + READY_WITHIN_S
    while not supervisor.is_ready():
        _keep_alive(supervisor, stop)
        if time.monotonic() > until_s:
            message = f"the service was not ready within {READY_WITHIN_S:.0f} s; its log says why"
            raise DemoRefusedError(message)
        time.sleep(POLL_S)


def _keep_alive(supervisor: Supervisor, stop: _Stop) -> None:
    stop.check()
    code = supervisor.watch()
    if code is not None:
        raise _EndedError(code)


def _play_and_show(
    settings: Settings,
    supervisor: Supervisor,
    stop: _Stop,
    *,
    is_once: bool,
    is_json: bool,
    say: Callable[[str], None],
    show: Callable[[str], None],
) -> None:
    facts, made = load_facts(), load_illustrations()
    issuer = LocalIssuer(data_directory(settings))
    url = f"http://{HOST}:{supervisor.port}"
    steps = the_year(facts, made, operator=LOCAL_OPERATOR)
    places = {step.key: place for place, step in enumerate(steps, start=1)}

    def progress(step: Step) -> None:
        say(f"[{places[step.key]:>3}/{len(steps)}] {step.says}")

    with closing(Api(url, issuer.issue, between=lambda: _keep_alive(supervisor, stop))) as api:
        head = play(steps, api, province=made.province.province, progress=progress)
        library = Library(api, province=made.province.province, bloc=made.bloc, head=head)
        audited = audit(api, library)
    fed = followed(url, made.province.province, token=issuer.issue(INTEGRATOR), through=head)
    account = account_of(library, audited, fed)
    data = data_directory(settings)
    dossier_path(account, data).write_bytes(audited.archive)
    if is_json:
        show(msgspec.json.encode(account).decode() + "\n")
        return
    show(told(account, library))
    if is_once:
        show(later(account, data))
        return
    show(onward(account, made, url=url, data=data, log=data / LOG_NAME))
    tokens = (f"  mã truy cập (token) {sub}, 12 h:\n  {issuer.issue(sub)}\n" for sub in (ADMIN, AUDITOR))
    show("".join(tokens) + "\nCtrl-C để dừng (stops it)\n")
