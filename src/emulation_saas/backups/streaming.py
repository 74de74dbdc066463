"""The stream: every byte of the server's log of changes, on our disk as soon as it is on the server's.

`pg_receivewal --synchronous` does the work; here it is started again for as long as we live. Where the server names us
among its synchronous standbys (`EMULATION_SYNCHRONOUS`, or `synchronous_standby_names = 'emulation_stream'`), no commit
is acknowledged before it is here, too. A slot makes the server keep what we have not got yet.
"""

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event
from types import FrameType
from typing import Final

from emulation_saas.backups.faults import BackupError, OtherServerError
from emulation_saas.backups.shelf import STREAM_LOCK, Shelf
from emulation_saas.backups.source import APPLICATION, Source
from emulation_saas.backups.tools import clean, run, told
from emulation_saas.postgres.embedded import EmbeddedPostgresError
from emulation_saas.postgres.embedded.tether import tethered

SLOT: Final = APPLICATION
PAUSE_MIN_S: Final = 0.1
PAUSE_MAX_S: Final = 2.0
"""While the server is gone; commits wait so long for us when it is back."""
HEALTHY_AFTER_S: Final = 10.0
STATUS_EVERY_S: Final = 2
_POLL_S: Final = 0.05
_STOP_S: Final = 10.0


@dataclass
class Stream:
    """Streams until told to stop by SIGTERM or SIGINT. Run it from the main thread (`tether`)."""

    shelf: Shelf
    find: Callable[[], Source]
    """Asks the server what it is; called again whenever the stream has broken off."""
    report: Callable[[str], None]
    _stopped: Event = field(default_factory=Event)
    _said: str = ""

    def run(self) -> None:
        """Return when told to stop.

        Raises:
            OtherServerError: the directory holds the backups of another server.
            BackupError: another stream writes into it.
        """
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            with ExitStack() as held:
                self._run(held)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _run(self, held: ExitStack) -> None:
        pause_s = PAUSE_MIN_S
        is_held = False
        while not self._stopped.is_set():
            began_s = time.monotonic()
            try:
                source = self.find()
                self.shelf.of(source.system)
            except OtherServerError:
                raise
            except (BackupError, EmbeddedPostgresError) as error:
                self._say(str(error))
            else:
                if not is_held:
                    held.enter_context(self.shelf.held(STREAM_LOCK, "streams into"))
                    is_held = True
                self._receive(source)
            pause_s = PAUSE_MIN_S if time.monotonic() - began_s > HEALTHY_AFTER_S else min(pause_s * 2, PAUSE_MAX_S)
            self._stopped.wait(pause_s)

    def _receive(self, source: Source) -> None:
        """Stream until it breaks off."""
        program = source.tools / "pg_receivewal"
        target = (f"--dbname={source.dsn}", "--no-password", f"--slot={SLOT}")
        try:
            self.shelf.enter(source.timeline, source.ends())
            making = ("--create-slot", "--if-not-exists")
            run(program, *target, *making, failing="no slot for the stream", environment=source.environment)
        except BackupError as error:
            self._say(str(error))
            return
        writing = (f"--directory={self.shelf.wal}", "--synchronous", "--no-loop", f"--status-interval={STATUS_EVERY_S}")
        with subprocess.Popen(  # noqa: S603 - PostgreSQL's own program
            tethered([str(program), *target, *writing], death_signal=signal.SIGTERM),
            env=clean(source.environment),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C reaches us only
        ) as process:
            self._say(f"streaming into {self.shelf.wal}")
            while process.poll() is None and not self._stopped.wait(_POLL_S):
                pass  # it streams
            process.terminate()
            try:
                _, stderr = process.communicate(timeout=_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                _, stderr = process.communicate()
        if not self._stopped.is_set():
            self._say(f"the stream broke off: {told(stderr)}")

    def _say(self, text: str) -> None:
        """Say what is news."""
        if text != self._said:
            self._said = text
            self.report(text)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopped.set()
