"""A stream of its own process, as an operator runs it: `emulation-saas backup stream`."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from emulation_saas.postgres.embedded.tether import tethered
from tests.postgres.processes import wait_until
from tests.serving import children, command_line


class Streamed:
    """A stream that runs: what it says, and how it is disturbed."""

    def __init__(self, data: Path, backups: Path, output: Path) -> None:
        """Start it."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EMULATION_")}
        command = ["backup", "stream", "--data", str(data), "--backups", str(backups)]
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                tethered([sys.executable, "-m", "emulation_saas", *command], death_signal=signal.SIGTERM),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def wait_until_streaming(self) -> None:
        """Return when it says so, and its receiver runs."""
        wait_until(lambda: "streaming into" in self.output(), seconds=45)
        wait_until(lambda: self.receiver() is not None)

    def receiver(self) -> int | None:
        """Return the process that writes what comes."""
        found = [pid for pid in children(self.process.pid) if b"--synchronous" in command_line(pid)]
        return found[0] if found and command_line(found[0]).startswith(b"/") else None

    def kill(self) -> None:
        """Let nothing more be written, as when its machine is lost."""
        pid = self.receiver()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def output(self) -> str:
        """Return what it has said."""
        return self._output.read_text(errors="replace")

    def stop(self) -> int:
        """Ask it to stop; return its exit code."""
        self.process.terminate()
        return self.process.wait(20)


@contextmanager
def streamed(data: Path, backups: Path, output: Path) -> Generator[Streamed]:
    """Lend a stream, and leave nothing of it."""
    stream = Streamed(data, backups, output)
    try:
        yield stream
    finally:
        if stream.process.poll() is None:
            stream.stop()
