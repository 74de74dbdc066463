"""Follow a province's log, an event a line, and go on next time where it ended: URL PROVINCE FILE, token in $TOKEN.

What passes by itself is waited out. It ends with 1 and a line that says why where going on would not mend it.
"""

import asyncio
import os
import sys
from pathlib import Path

from emulation_saas.client import ClientError, Feed


def kept_in(file: Path) -> int:
    """Return the position that was remembered last; 0 where there is none yet."""
    text = file.read_text().strip() if file.exists() else "0"
    if not text.isdecimal():
        raise ValueError(f"{file} holds no position; without it one begins anew")
    return int(text)


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
    try:
        place = Path(sys.argv[3])
        asyncio.run(follow(sys.argv[1], sys.argv[2], kept_in(place), place))
    except KeyboardInterrupt:
        sys.exit(130)
    except (ClientError, OSError, ValueError) as error:
        sys.exit(f"{type(error).__name__}: {error}")  # and the status is 1: going on would not mend it
