"""The stock subscription of `eventsourcing`: one thread appends to its DCB recorder at a pace, another follows."""

import threading
import time
from uuid import uuid4

from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.postgres_tt import PostgresDCBRecorderTT

from tests.bench.payload import EVENT, EVENT_BODY


def followed(recorder: PostgresDCBRecorderTT, *, per_s: int, seconds: float) -> list[float]:
    """Append at a pace while one subscriber follows; return how long each event took to it, in ms."""
    answered: dict[int, int] = {}
    came: dict[int, int] = {}
    many = int(per_s * seconds)
    done = threading.Event()
    with recorder.subscribe(after=recorder.read().head) as subscription:

        def follow() -> None:
            for event in subscription:
                came[event.position] = time.monotonic_ns()
                if len(came) == many:
                    break
            done.set()

        following = threading.Thread(target=follow, daemon=True)
        following.start()
        began = time.monotonic()
        for number in range(many):
            time.sleep(max(0.0, began + number / per_s - time.monotonic()))
            tags = [*EVENT.tags()[:-1], f"agency:{uuid4()}"]
            condition = DCBAppendCondition(DCBQuery([DCBQueryItem([EVENT.type], tags[-1:])]))
            position = recorder.append([DCBEvent(EVENT.type, EVENT_BODY, tags)], condition)
            answered[position] = time.monotonic_ns()
        if not done.wait(60):
            raise RuntimeError(f"the stock subscription told {len(came)} of {many} events")
        following.join()
    return sorted((came[position] - at) / 1e6 for position, at in answered.items())
