"""Commands that were accepted before, under the same idempotency key: they get the answer they got then."""

from typing import TYPE_CHECKING

import msgspec

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log.accepted import Accepted
from emulation_saas.log.batch import Answer, Command, IdempotencyKeyReused
from emulation_saas.log.reading import STATEMENTS, Reader

if TYPE_CHECKING:
    from emulation_saas.postgres.database import Connection


async def stored_answers(
    connection: "Connection", reader: Reader, province: ProvinceId, commands: list[Command]
) -> list[Answer]:
    """Return what those commands are answered whose key was used: the same again, or that it was another request.

    The answer is not stored twice: a key remembers the positions of its events, and events never change.
    """
    asked = {command.key: command for command in commands if command.key is not None}
    if not asked:
        return []
    actors, keys = [actor for actor, _ in asked], [key for _, key in asked]
    answers: list[Answer] = []
    for row in await connection.fetch(STATEMENTS["settled"], province, actors, keys):
        command = asked[row["actor"], row["key"]]
        if row["fingerprint"] != command.acting.fingerprint:
            answers.append((command, IdempotencyKeyReused()))
            continue
        first, last = row["first_position"], row["last_position"]
        events = await reader.after(connection, first - 1, through=last) if first <= last else []
        answers.append((command, Accepted(last, [msgspec.Raw(event["body"]) for event in events])))
    return answers
