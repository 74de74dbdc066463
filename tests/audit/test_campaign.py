"""The fault campaign, smaller: all that is genuine passes, every fault of every kind is caught where it is."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.audit.campaign import campaign, genuine_exports
from tests.audit.exports import KEEPER, STRANGER, exported

SIZES: Final = (1, 2, 256, 300)
KINDS: Final = frozenset(
    {"flip", "drop", "insert", "swap", "truncate", "back-date", "tile", "checkpoint", "claims"}
    | {"re-sign", "split view", "restored backup"}
)


def test_every_fault_is_caught_and_all_that_is_genuine_passes() -> None:
    chance = random.Random(7)  # noqa: S311 - places of faults are no secrets
    tallies = campaign(genuine_exports(SIZES, chance), KEEPER.vkey, rounds=1, chance=chance)
    assert tallies.keys() == KINDS | {"genuine"}
    assert [failure for tally in tallies.values() for failure in tally.missed] == []
    assert all(tally.caught == tally.faults >= 6 for tally in tallies.values())
    assert [kind for kind, tally in tallies.items() if tally.unsure] == ["re-sign"]


def test_campaign_judges_an_export_that_a_service_gave_out(tmp_path: Path) -> None:
    path = tmp_path / "log.tar"
    path.write_bytes(exported(300, hidden={9, 10}).tar())
    command = [sys.executable, "-m", "tests.audit.campaign", "--rounds", "1", "--export", str(path), "--vkey"]
    done = subprocess.run([*command, KEEPER.vkey], check=False, capture_output=True, text=True, timeout=120)
    assert (done.returncode, "genuine: 1 of 1 passed" in done.stdout) == (0, True)
    false = subprocess.run([*command, STRANGER.vkey], check=False, capture_output=True, text=True, timeout=120)
    assert (false.returncode, "MISSED an export of 300 events does not pass" in false.stdout) == (1, True)
