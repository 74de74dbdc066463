"""Run by `test_launch.py` as an ordinary user: first start, refusal of a second, restart, kill and recovery."""

import asyncio
import os
import stat
import sys
from pathlib import Path

from emulation_saas.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError
from emulation_saas.postgres.server import check_server


def main(data: Path) -> None:
    """Go through a server's life; any surprise is an exception."""
    assert os.geteuid() != 0
    launched = EmbeddedPostgres(data, report=lambda _: None)
    launched.start()
    assert asyncio.run(check_server(launched.url)) == []
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert all((data / name).stat().st_uid == os.geteuid() for name in ("pg", "socket", "secrets"))
    try:
        EmbeddedPostgres(data, report=lambda _: None).start()
    except EmbeddedPostgresError:
        pass
    else:
        message = "a second server started on the same data"
        raise AssertionError(message)
    launched.stop()
    launched.start()
    launched.kill()
    launched.start()
    assert asyncio.run(check_server(launched.url)) == []
    launched.stop()
    sys.stdout.write("as it should be\n")


main(Path(sys.argv[1]))
