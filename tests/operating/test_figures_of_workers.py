"""Whichever worker Prometheus asks tells of all of them, of those that were killed too."""

import os
import signal
import time
from pathlib import Path
from typing import Final

import httpx

from emulation_saas.operating.counting import FOLDER_VARIABLE
from emulation_saas.operating.metrics import KEPT_S
from tests.operating.test_metrics import samples
from tests.serving import OPERATOR, Served, served

PROVINCE: Final = "bac-song"
REFUSED: Final = ("emulation_refusals_total", "malformed-body", PROVINCE)


def ask(service: Served, sub: str, method: str, path: str, body: dict[str, str] | None = None) -> httpx.Response:
    """Ask over a connection of its own, which any worker may take."""
    headers = service.token(sub)
    return httpx.request(method, service.url + path, json=body, headers=headers, timeout=30, trust_env=False)


def told(service: Served) -> dict[tuple[str, ...], float]:
    """Return what the worker that takes the next connection tells."""
    return samples(ask(service, OPERATOR, "GET", "/metrics").content)


def refuse(service: Served, count: int) -> None:
    for _ in range(count):
        assert ask(service, f"admin@{PROVINCE}", "POST", f"/v1/provinces/{PROVINCE}/agencies", {}).status_code == 422


def test_any_worker_tells_of_all_and_of_those_that_were_killed(place: Path, database_url: str) -> None:
    with served(place, workers=2, database_url=database_url) as service:
        service.open_province(PROVINCE)
        wait_for(service, workers=2)
        refuse(service, 20)
        time.sleep(KEPT_S)
        assert {told(service)[REFUSED] for _ in range(6)} == {20}
        files = figures_of(service)
        killed = service.worker_pids()[0]
        os.kill(killed, signal.SIGKILL)
        while killed in service.worker_pids() or len(service.worker_pids()) != 2:
            time.sleep(0.05)
        time.sleep(KEPT_S)  # what is told was found after its end
        wait_for(service, workers=2)
        refuse(service, 5)
        time.sleep(KEPT_S)
        assert told(service)[REFUSED] == 25
        assert figures_of(service) == files, "as many as there are places, however many workers have lived in them"


def figures_of(service: Served) -> set[str]:
    """Return the files of the workers' figures."""
    environment = Path(f"/proc/{service.worker_pids()[0]}/environ").read_bytes().split(b"\0")
    (folder,) = (each.partition(b"=")[2] for each in environment if each.startswith(FOLDER_VARIABLE.encode()))
    return {path.name for path in Path(folder.decode()).iterdir()}


def wait_for(service: Served, *, workers: int) -> None:
    """Return once so many workers say that they live."""
    until = time.monotonic() + 30
    while (found := told(service).get(("emulation_workers",))) != workers:
        assert time.monotonic() < until, found
        time.sleep(KEPT_S)
