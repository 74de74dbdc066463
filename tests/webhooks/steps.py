"""The commands of webhooks over HTTP, one of each kind, as `tests.year` plays them."""

from typing import Any, Protocol


class Naming(Protocol):
    """What a province calls things."""

    @property
    def mark(self) -> str:
        """What stands in every handle."""
        ...

    @property
    def person(self) -> str:
        """The administrator's person id."""
        ...

    def handle(self, name: str) -> str:
        """Return the handle of a thing."""
        ...

    def text(self, about: str) -> str:
        """Return a text that occurs nowhere else."""
        ...


def webhook_steps(by: Naming) -> list[tuple[str, dict[str, Any], int]]:
    """Return path, body and status of each. Nobody listens at the receiver's port, so it cannot shake hands."""
    of_webhook, old = "/webhooks/{webhook}", by.handle("cong-cu")
    registered = {
        "webhook": by.handle("cong"),
        "url": f"https://127.0.0.1:8443/{by.handle('nhan')}",
        "person": by.person,
        "types": ["agency.*"],
        "tags": [f"bloc:{by.handle('khoi')}"],
        "mode": "ordered",
        "signing": "hmac",
        "after": 0,
    }
    return [
        ("/webhooks", registered, 201),
        ("/webhooks", {**registered, "webhook": old}, 201),
        (f"/webhooks/{old}/remove", {"because": by.text("cổng cũ")}, 201),
        (of_webhook + "/handshake", {}, 409),
        (of_webhook + "/rotate-secret", {}, 201),
        (of_webhook + "/pause", {"because": by.text("bảo trì")}, 201),
        (of_webhook + "/skip", {"position": 7, "because": by.text("hỏng")}, 201),
        (of_webhook + "/redeliver", {"from": 1, "to": 2}, 201),
        (of_webhook + "/resume", {"from": 1}, 201),
    ]
