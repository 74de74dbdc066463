"""Paths of documents, keys and figures: templates such as `/blocs/{bloc}/years/{year}`, and what fits them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import is_handle
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.projecting.figures import Figure, Figures
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.refusals import NoSuchDocument
from emulation_saas.projecting.views import View, Where, spelled

YEAR_MIN: Final = 1948
YEAR_MAX: Final = 2200

_PARAMETERS: Final = frozenset(field.name for field in msgspec.structs.fields(Where))


@dataclass(frozen=True, slots=True)
class Named:
    """One document that is answered at a path: the view, whose it is, and the path's parameters."""

    path: str
    projection: AnyProjection
    view: View[Any]
    where: Where


def where_of(values: Mapping[str, str | int]) -> Where:
    """Return the parameters of a path.

    Raises:
        NoSuchDocument: there can be no such year, or something is no handle.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name == "year":
            text = str(value)
            if not (text.isascii() and text.isdecimal() and len(text) <= len(str(YEAR_MAX))):
                raise NoSuchDocument
            if not YEAR_MIN <= int(text) <= YEAR_MAX or text != str(int(text)):
                raise NoSuchDocument
            found[name] = int(text)
        elif is_handle(str(value)):
            found[name] = value
        else:
            raise NoSuchDocument
    return Where(**found)


def find_document(projections: Iterable[AnyProjection], path: str, may: Authority) -> Named:
    """Return what is answered at a path below the province; what may be read is as with its GET, today.

    Raises:
        NoSuchDocument: nothing is answered there.
        NotEmpowered: the caller may not read it.
    """
    for projection in projections:
        for view in projection.views:
            values = fitted(view.path, path)
            if values is not None:
                named = Named(path, projection, view, where_of(values))
                if not view.may_read(named.where, may):
                    raise NotEmpowered
                return named
    raise NoSuchDocument(path)


def fitted(template: str, text: str) -> dict[str, str] | None:
    """Return what stands in a text where its template has parameters; None where it does not fit."""
    parts, given = template.split("/"), text.split("/")
    if len(parts) != len(given):
        return None
    values: dict[str, str] = {}
    for part, each in zip(parts, given, strict=True):
        if part.startswith("{"):
            if values.setdefault(part[1:-1], each) != each:
                return None
        elif part != each:
            return None
    return values


def own_figures(named: Named, figures_by_key: Mapping[str, Figures]) -> dict[str, Figure]:
    """Return the figures of a path's documents by the name that they have there.

    Where the path is made from several documents, a figure's name begins with the rest of its document's key.
    """
    own: dict[str, Figure] = {}
    for key, figures in figures_by_key.items():
        folder = _folder(named.view, key)
        own |= {
            folder + name: msgspec.structs.replace(figure, inputs=tuple(folder + each for each in figure.inputs))
            for name, figure in figures.items()
        }
    return own


def is_about(named: Named, figure: str) -> bool:
    """Tell whether a figure is one of those that the path is about."""
    about = spelled(named.view.about, named.where)
    return not about or figure == about or figure.startswith(f"{about}/")


def places_of(projection: AnyProjection, key: str, figure: str, may: Authority) -> dict[str, str]:
    """Return the paths that the caller may read at which a figure of a document is told, with its name there."""
    places: dict[str, str] = {}
    for view in projection.views:
        values = fitted(view.key, key)
        about = view.about.split("/") if view.about else []
        of_figure = fitted(view.about, "/".join(figure.split("/")[: len(about)])) if about else {}
        if values is None or of_figure is None:
            continue
        known = {name: value for name, value in (values | of_figure).items() if name in _PARAMETERS}
        wanted = {part[1:-1] for part in view.path.split("/") if part.startswith("{")}
        if not wanted <= known.keys():
            continue
        where = where_of({name: known[name] for name in sorted(wanted)})
        if view.may_read(where, may):
            places[spelled(view.path, where)] = _folder(view, key) + figure
    return places


def _folder(view: View[Any], key: str) -> str:
    """Return the part of a key that the view's path does not say, ending with `/`; mostly nothing."""
    values = fitted(view.key, key) or {}
    rest = [value for name, value in values.items() if f"{{{name}}}" not in view.path]
    return "".join(f"{value}/" for value in rest)
