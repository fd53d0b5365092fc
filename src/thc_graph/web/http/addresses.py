"""Addresses of lists: what they ask for, read and written."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request

from thc_graph import quantities
from thc_graph.instance.reading import Published
from thc_graph.lists import addresses, kinds
from thc_graph.lists.addresses import Value


@dataclass(frozen=True)
class Address:
    """The address of a list: what it asks for, each thing once, in the order it was given."""

    kind: str
    parameters: tuple[tuple[str, str], ...] = ()

    def to(self, suffix: str = "", **changed: str | int) -> str:
        """Return the address with some parameters set, or without them where they are empty.

        Another page is one of the same list; whatever else changes begins at the first.
        """
        gone = {*changed, *(() if suffix else ("page",))}
        if suffix:  # a file holds all pages, and has no view
            gone |= {"page", "vue", "tout"}
        kept = [pair for pair in self.parameters if pair[0] not in gone]
        new = [(name, str(value)) for name, value in changed.items() if value]
        return self._written(suffix, [*kept, *new])

    def without(self, name: str, value: str) -> str:
        kept = [pair for pair in self.parameters if pair[0] != "page" and pair != (name, value)]
        return self._written("", kept)

    def bare(self) -> str:
        """Return the address of the whole list."""
        return self._written("", [pair for pair in self.parameters if pair[0] in ("vue", "lang")])

    def kept(self, *names: str) -> list[tuple[str, str]]:
        """Return the parameters of some names, for a form that leaves them as they are."""
        return [pair for pair in self.parameters if pair[0] in names]

    def _written(self, suffix: str, parameters: Iterable[tuple[str, str]]) -> str:
        path = f"/{self.kind}.{suffix}" if suffix else f"/{self.kind}"
        query = urlencode(list(parameters))
        return f"{path}?{query}" if query else path


def filters_of(
    request: Request, reading: Published, kind: str, facets: Container[str]
) -> Mapping[str, tuple[Value, ...]]:
    """Return what an address says of some facets of a kind; what it says of no value is left."""
    kept = [pair for pair in request.query_params.multi_items() if pair[0] in facets]
    base = request.app.state.service.settings.base
    asked = addresses.read(reading.schema, base, kind, kept)
    return asked.filters if asked else {}


def number_of(request: Request) -> int:
    """Return the page an address asks for, the first where it names none that can be."""
    return quantities.page(request.query_params.get("page", "1")) or 1


def tokens(request: Request, reading: Published, kind: str) -> Callable[[str, Value], str]:
    """Give what stands for the value of a facet in an address of a kind."""
    base = request.app.state.service.settings.base
    shapes = kinds.facets_of(reading.schema, kinds.classes_of(reading.schema, kind))

    def token(facet: str, value: Value) -> str:
        return addresses.token_of(shapes[facet], value, base)

    return token


def address_of(
    request: Request,
    reading: Published,
    kind: str,
    filters: Mapping[str, Iterable[Value]],
    plain: Container[str],
    at: str = "",
) -> Address:
    """Return an address, of what was asked only what is understood; `at` where it is no list's."""
    token = tokens(request, reading, kind)
    told = [(name, token(name, value)) for name, values in filters.items() for value in values]
    given = request.query_params.multi_items()
    return Address(at or kind, (*told, *(pair for pair in given if pair[0] in plain and pair[1])))
