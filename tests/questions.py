"""What is asked of a marked province with a body and records nothing: suppositions, and readers' places."""

from dataclasses import replace

from tests.year import PAPER, Marked, Step


def questions(of: Marked) -> list[Step]:
    """Return what needs a body and records nothing, in an order in which each is answered."""
    alias = {"agency": of.handle("noi-vu"), "alias": of.text("tên khác")}
    inserted = {"after": 20, "type": "agency.alias-added.v1", "data": alias, "time": PAPER}
    removed = of.handle("cong-cu")
    asked = [
        Step("/what-if", {"path": "/agencies", "without": [3], "insert": [inserted], "mode": "strict"}),
        *(
            Step("/consumers", {"consumer": name, "types": ["agency.*"], "tags": [f"agency:{alias['agency']}"]})
            for name in (of.handle("cong"), removed)
        ),
        Step("/consumers/{consumer}/ack", {"position": 2, "expected": 0}),
        Step("/consumers/{consumer}/seek", {"to": 1}),
        Step(f"/consumers/{removed}/remove", {}),
    ]
    return [replace(step, status=200) for step in asked]
