"""Names are found wherever an answer shows a person, by JSON pointers that lead to them."""

from typing import Any, Final

import msgspec

from emulation_saas.kernel.ids import PersonId
from emulation_saas.projecting.redacting import shown_in
from emulation_saas.projecting.views import Document, Person

ERASED: Final = Person(person=PersonId("p-erasederase"), name=None, office="Giám đốc")
NAMED: Final = Person(person=PersonId("p-namednamed2"), name="Đặng Văn Đào", office="Phó Giám đốc")


class _Minutes(Document, frozen=True, kw_only=True):
    chair: Person
    signers: tuple[Person, ...] = ()
    by_desk: dict[str, list[Person]] = msgspec.field(default_factory=dict, name="byDesk")
    text: str = "name"


def resolved(document: Any, pointer: str) -> Any:  # noqa: ANN401 - any JSON
    """Return what a JSON pointer leads to (RFC 6901)."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        document = document[int(key) if key.isdigit() else key]
    return document


def test_every_erased_name_is_pointed_at_in_order() -> None:
    minutes = _Minutes(chair=ERASED, signers=(NAMED, ERASED), by_desk={"a/b~c": [NAMED, NAMED, ERASED]})
    shown = shown_in(minutes)
    assert shown.redacted == ["/chair/name", "/signers/1/name", "/byDesk/a~1b~0c/2/name"]
    assert shown.has_names
    document = msgspec.json.decode(msgspec.json.encode(minutes))
    assert [resolved(document, pointer) for pointer in shown.redacted] == [None] * 3


def test_answer_without_persons_shows_and_redacts_nothing() -> None:
    shown = shown_in(_Minutes(chair=ERASED))
    assert (shown.redacted, shown.has_names) == (["/chair/name"], False)
    assert shown_in(Document()).redacted == []
