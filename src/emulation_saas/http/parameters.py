"""What a query may say: what its route declares, each once unless it is a list, and all that it needs.

Passed over, a misspelt `as_of` would be answered with what is now.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.routes import BaseRoute, HTTPRoute

from emulation_saas.http.refusals import Fault, MalformedParameter
from emulation_saas.http.requests import StrictRequest

_DECLARED: Final = "declared_parameters"
_NAME_MAX: Final = 100
"""Characters of a name that are repeated to who gave it."""
_DETAIL_MAX: Final = 500
"""Of a fault: it may quote what was given."""
_TOLD_MAX: Final = 10
"""Faults that are told."""


class _Parameter(msgspec.Struct, frozen=True):
    """A parameter that a route declares."""

    argument: str
    """What its handler calls it."""
    is_list: bool
    is_required: bool


def note_declared(routes: Iterable[BaseRoute]) -> None:
    """Have each route's handlers know what they declare, by the name that a query gives it."""
    for route in routes:
        if isinstance(route, HTTPRoute):
            for handler, model in route.route_handler_map.values():
                declared = {
                    each.field_alias: _Parameter(each.field_name, each.is_sequence, each.is_required)
                    for each in model.expected_query_params
                }
                handler.opt[_DECLARED] = {**handler.opt.get(_DECLARED, {}), **declared}


def demand_declared(request: StrictRequest) -> None:
    """Refuse a query that says what the route does not know, or one thing twice, or not what it needs.

    Raises:
        MalformedParameter: it does.
    """
    declared: dict[str, _Parameter] = request.route_handler.opt[_DECLARED]
    if not declared and not request.scope["query_string"]:
        return
    times = Counter(name for name, _ in request.query_params.multi_items())
    wrong = {name: "there is no such parameter" for name in sorted(times) if name not in declared}
    wrong |= {
        name: "given more than once"
        for name, many in times.items()
        if many > 1 and name in declared and not declared[name].is_list
    }
    wrong |= {name: "it is required" for name, each in sorted(declared.items()) if each.is_required and not times[name]}
    if wrong:
        errors = [Fault(parameter=name[:_NAME_MAX], detail=detail) for name, detail in wrong.items()]
        raise MalformedParameter(errors=errors[:_TOLD_MAX])


def faults_of(request: Request[Any, Any, Any], found: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """Return which parameters the framework found to be of the wrong shape, by the names that the query gives them.

    It finds the handler's arguments, among them one for each part of the path that no argument takes.
    """
    declared: dict[str, _Parameter] = request.route_handler.opt[_DECLARED]
    names = {each.argument: name for name, each in declared.items()}
    return [
        Fault(parameter=names[each["key"]], detail=each["message"][:_DETAIL_MAX])
        for each in found
        if each.get("key") in names
    ]
