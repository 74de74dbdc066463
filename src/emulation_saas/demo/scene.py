"""What every part of the script knows: a step, who makes it, and where everything is."""

from dataclasses import dataclass
from typing import Any, Final

from emulation_saas.demo.facts import Facts
from emulation_saas.demo.illustrations import Illustrations

ADMIN: Final = "admin"
"""The subject of the local issuer who administers the province."""
SECRETARY: Final = "thu-ky"
COUNCIL_MEMBER: Final = "uy-vien-hoi-dong"
AUDITOR: Final = "kiem-toan"
INTEGRATOR: Final = "cong-thong-tin"


@dataclass(frozen=True)
class Step:
    """One call: a POST by somebody, under a key of its own."""

    key: str
    """Names the step for ever; the idempotency key is made of it."""
    says: str
    by: str
    """The subject of the local issuer who makes the call."""
    path: str
    """Below the province; `/provinces` itself opens it."""
    body: dict[str, Any]
    person_of: str | None = None
    """The subject whose person id, as minted by the service, the body is completed with."""
    contests: str | None = None
    """The key of an earlier step; the body is completed with the position of that step's event, as what is disputed."""


class Scene:
    """Facts and what is made up, with the paths and handles that follow from them."""

    def __init__(self, facts: Facts, made: Illustrations, *, operator: str) -> None:
        """Take both, and the subject that may open provinces."""
        self.facts = facts
        self.made = made
        self.operator = operator
        self.handles = {name: made.handle_of(name) for name in facts.members}
        self.bloc = f"/blocs/{made.bloc}"
        self.covered = f"{self.bloc}/years/{facts.conference.covers_year}"
        self.planned = f"{self.bloc}/years/{facts.conference.plans_year}"
        self.on_paper = facts.conference.held_on.isoformat()
        """The only day that the article states."""


def representative(agency: str) -> str:
    """Return the subject of the local issuer who represents an agency."""
    return f"dai-dien-{agency}"
