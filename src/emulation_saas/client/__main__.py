"""Follow a province's log, an event a line, and go on next time where it ended: URL PROVINCE FILE, token in $TOKEN."""

import asyncio
import os
import sys
from pathlib import Path

from emulation_saas.client import Feed


def keep(position: int, file: Path) -> None:
    """Remember a position: whole or not at all, whenever it is killed."""
    file.with_suffix(".new").write_text(str(position))
    file.with_suffix(".new").replace(file)


async def follow(url: str, province: str, after: int, file: Path) -> None:
    """Write each event to stdout, then remember its position."""
    async with Feed(url, province, token=os.environ["TOKEN"]) as feed:
        async for event in feed.events(after=after):
            sys.stdout.buffer.write(event.raw + b"\n")  # or whatever the event is to lead to
            sys.stdout.flush()
            keep(event.position, file)


if __name__ == "__main__":
    if len(sys.argv) != 4 or "TOKEN" not in os.environ:  # noqa: PLR2004 - the program and its three arguments
        sys.exit(__doc__)
    kept = Path(sys.argv[3])
    asyncio.run(follow(sys.argv[1], sys.argv[2], int(kept.read_text()) if kept.exists() else 0, kept))
