"""`python -m tests.postgres.other_release BIN [OPTION …]`: the tests that ask for a server, on these binaries.

BIN is the directory of `postgres` and `initdb` of another release of PostgreSQL; the options are pytest's. A server of
it is started on an empty directory, and the tests are told of it by `TESTS_DATABASE_URL`; both end together.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from emulation_saas.postgres.embedded.cluster import INITDB_OPTIONS, identity_of
from emulation_saas.postgres.embedded.identity import database_user
from emulation_saas.postgres.embedded.tether import tethered
from tests.database import VARIABLE

# Everybody who can reach the socket, whose directory is closed: the tests', and the server's own user.
AUTHENTICATION = "--auth=trust"


def main() -> int:
    """Run the tests and return pytest's exit status."""
    programs, *arguments = sys.argv[1:] or ["--help"]
    if programs == "--help":
        sys.stdout.write(f"{__doc__}\n")
        return 0
    with running(Path(programs)) as url:
        command = [sys.executable, "-m", "pytest", *arguments]
        return subprocess.run(command, check=False, env={**os.environ, VARIABLE: url}).returncode


@contextmanager
def running(programs: Path) -> Generator[str]:
    """Lend the URL of a server that runs these binaries, copied to where its user can read them."""
    folder = Path(tempfile.mkdtemp(prefix="emulation-release-"))
    folder.chmod(0o755)
    user = database_user(folder / "data", wanted=None, report=lambda _: None)
    try:
        shutil.copytree(programs.parent, folder / "install", symlinks=True)
        for name in ("data", "socket"):
            (folder / name).mkdir(mode=0o700)
            user.give(folder / name)
        options = [option for option in INITDB_OPTIONS if not option.startswith("--auth")]
        initdb = [str(folder / "install" / "bin" / "initdb"), f"--pgdata={folder}/data", AUTHENTICATION, *options]
        subprocess.run(
            tethered(initdb, death_signal=signal.SIGKILL, **identity_of(user)), check=True, stdout=subprocess.DEVNULL
        )
        settings = (
            "listen_addresses=",
            f"unix_socket_directories={folder}/socket",
            "timezone=UTC",
            "track_commit_timestamp=on",
        )
        postgres = [str(folder / "install" / "bin" / "postgres"), f"-D{folder}/data"]
        postgres += [word for setting in settings for word in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                tethered(postgres, death_signal=signal.SIGINT, **identity_of(user)), stdout=log, stderr=log
            )
        try:
            _wait_until_ready(server, folder)
            passfile = folder / "passfile"
            passfile.touch(mode=0o600)  # nobody is asked for a password; it is where the tests look for them
            yield f"postgresql:///postgres?host={quote(str(folder / 'socket'))}&passfile={quote(str(passfile))}"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)
    finally:
        shutil.rmtree(folder)


def _wait_until_ready(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    pid_file = folder / "data" / "postmaster.pid"
    while server.poll() is None:
        if pid_file.exists() and pid_file.read_text(encoding="utf-8").rstrip().endswith("ready"):
            return
        time.sleep(0.05)
    sys.exit((folder / "log").read_text(encoding="utf-8", errors="replace"))


if __name__ == "__main__":
    sys.exit(main())
