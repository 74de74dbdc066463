"""What a query may say: what its route declares, each once unless it is a list.

Passed over, a misspelt `as_of` would be answered with what is now.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from litestar.routes import BaseRoute, HTTPRoute

from emulation_saas.http.refusals import Fault, MalformedParameter
from emulation_saas.http.requests import StrictRequest

_DECLARED: Final = "declared_parameters"
_NAME_MAX: Final = 100
"""Characters of a name that are repeated to who gave it."""
_TOLD_MAX: Final = 10
"""Faults that are told."""


def note_declared(routes: Iterable[BaseRoute]) -> None:
    """Have each route's handlers know what they declare: by name, whether it is a list."""
    for route in routes:
        if isinstance(route, HTTPRoute):
            for handler, model in route.route_handler_map.values():
                declared = {each.field_alias: each.is_sequence for each in model.expected_query_params}
                handler.opt[_DECLARED] = {**handler.opt.get(_DECLARED, {}), **declared}


def demand_declared(request: StrictRequest) -> None:
    """Refuse a query that says what the route does not know, or one thing twice.

    Raises:
        MalformedParameter: it does.
    """
    if not request.scope["query_string"]:
        return
    declared: dict[str, bool] = request.route_handler.opt[_DECLARED]
    times = Counter(name for name, _ in request.query_params.multi_items())
    wrong = {name: "there is no such parameter" for name in sorted(times) if name not in declared}
    wrong |= {name: "given more than once" for name, many in times.items() if many > 1 and declared.get(name) is False}
    if wrong:
        errors = [Fault(parameter=name[:_NAME_MAX], detail=detail) for name, detail in wrong.items()]
        raise MalformedParameter(errors=errors[:_TOLD_MAX])
