"""The network between clients and the service breaks, and clients repeat themselves.

`network`: three of ten exchanges go through a proxy of ours that resets connections, loses answers, tears them, and
delivers requests late or twice, when the client has long asked again. `repeats`: one command is sent a hundred times at
once with one key: one event, and a hundred times the same answer; then with its key and another body, which is refused.
"""

import asyncio
from pathlib import Path
from typing import Final

from tests.faults.load import ADMIN, PROVINCE, Behaviour, Load, Order, WrongAnswerError, open_order, under_load
from tests.faults.proxy import network
from tests.faults.trials import Experiment, Outcome, Say, chance, judged_in
from tests.serving import served

WRITERS: Final = 12
SPOILT: Final = 0.3
TOGETHER: Final = 100


def behaviour_of(*, is_mutant: bool) -> Behaviour:
    """Return how clients act: in a mutant, they repeat commands without keys."""
    return "keyless" if is_mutant else "right"


async def networks(tries: int, place: Path, say: Say, *, is_mutant: bool) -> Outcome:
    """Spoil so many exchanges between clients and the service."""
    rng, outcome = chance("network"), Outcome()
    with served(place) as service:
        async with network(service.port, rng, share=SPOILT) as between:
            load = Load(service, rng, behaviour_of(is_mutant=is_mutant), abandoned=0.0)
            load.url = f"http://127.0.0.1:{between.port}"
            async with under_load(load, WRITERS):
                said = 0
                while between.spoilt_in_all < tries:
                    await load.more(20)
                    if between.spoilt_in_all - said >= 200:
                        said = between.spoilt_in_all
                        say(f"{said} of {tries} spoilt, {load.acknowledged} acknowledged")
                between.share = 0.0
        outcome.count(load)
        outcome.tries = between.spoilt_in_all
        outcome.told |= between.spoilt
        await asyncio.to_thread(service.stop)
    outcome.found.add(await judged_in(service.data, load.ledgers.values()))
    return outcome


async def repeats(tries: int, place: Path, say: Say, *, is_mutant: bool) -> Outcome:
    """Send so many commands, each a hundred times at once."""
    rng, outcome = chance("repeats"), Outcome()
    with served(place) as service:
        load = Load(service, rng, behaviour_of(is_mutant=is_mutant), abandoned=0.0)
        async with load.connected() as client:
            await load.settle(client, open_order(PROVINCE))
            for number in range(tries):
                wanted = registration(number)
                answers = await asyncio.gather(*(load.ask(client, wanted) for _ in range(TOGETHER)))
                outcome.tries += TOGETHER
                if len({*answers}) > 1:
                    outcome.found.wrong.append(f"{wanted.key} was answered in {len({*answers})} ways")
                await load.settle(client, wanted)
                if not is_mutant:
                    await demand_refused(load, registration(number, name="Sở khác"))
                if outcome.tries % 1_000 == 0:
                    say(f"{outcome.tries} requests for {number + 1} commands")
        outcome.count(load)
        await asyncio.to_thread(service.stop)
    outcome.found.add(await judged_in(service.data, load.ledgers.values()))
    return outcome


def registration(number: int, *, name: str = "Sở Nội vụ") -> Order:
    """Return a command that leads to one event."""
    agency = f"so-{number}"
    body = {"agency": agency, "name": f"{name} {number}", "effective_on": "2020-01-01"}
    return Order(PROVINCE, agency, agency, "/agencies", ADMIN, body)


async def demand_refused(load: Load, other: Order) -> None:
    """Demand that a key is refused for another request than its own."""
    async with load.connected() as client:
        headers = {**load.authorization(ADMIN), "idempotency-key": other.key}
        answer = await client.post(f"/v1/provinces/{PROVINCE}{other.path}", json=other.body, headers=headers)
    if answer.json().get("code") != "idempotency-key-reused":
        raise WrongAnswerError(f"{other.key} with another body: {answer.status_code} {answer.text}")


EXPERIMENTS: Final = {
    "network": Experiment(networks, 2_100, 40, "clients that repeat a command without its key", mutant_tries=60),
    "repeats": Experiment(repeats, 50, 2, "clients that send no keys", mutant_tries=2),
}
