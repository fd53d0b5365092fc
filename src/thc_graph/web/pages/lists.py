"""The home page, and the list of each kind of entity, as a page and as files."""

from collections.abc import Callable, Collection, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from thc_graph import quantities
from thc_graph.instance.service import Published
from thc_graph.lists import addresses, kinds, pages, selection
from thc_graph.lists.addresses import Asked, Value
from thc_graph.rdf.terms import PREFIXES, THC, Namespace
from thc_graph.schema.model import Schema
from thc_graph.search.index import Index
from thc_graph.web.drawing import maps
from thc_graph.web.files import lists
from thc_graph.web.http.negotiation import choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import represent
from thc_graph.web.http.routing import Parameters, Router
from thc_graph.web.pages.entities import HTML
from thc_graph.web.rendering.templates import language_of, pages_of

router = Router()
last_router = Router()  # `/{kind}` takes what no other address has

OFFERED: Final = (HTML, *(form.media_type for form in lists.FORMATS))
LIST: Final = "liste"
VIEWS: Final = (LIST, "tableau", "carte")
PLACING: Final = frozenset({Namespace(PREFIXES["geo"])["lat"], THC["territoire"]})
PLAIN: Final = ("q", "tri", "page", "vue", "lang", "tout")


def _facets(scope: Scope) -> Collection[str]:
    """Return the facets by which the list of an address is narrowed."""
    kind = scope["path_params"].get("name", kinds.VOCABULARIES).partition(".")[0]
    schema: Schema = scope["app"].state.service.schema
    return kinds.facets_of(schema, kinds.classes_of(schema, kind))


ASKS: Final = Parameters((*PLAIN, "format"), _facets)


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


@router.get("/voc", asks=ASKS)
async def vocabularies(request: Request, reading: Published) -> Response:
    return await members(kinds.VOCABULARIES, request, reading)


@last_router.get("/{name}", asks=ASKS)
async def members(name: str, request: Request, reading: Published) -> Response:
    kind, _, suffix = name.partition(".")
    base = request.app.state.service.settings.base
    asked = addresses.read(reading.schema, base, kind, request.query_params.multi_items())
    form = lists.find(lists.FORMATS, suffix or request.query_params.get("format", ""))
    if asked is None or (suffix and not form):
        raise Problem(404, "NotFound")
    media_type = form.media_type if form else choose(request.headers.get("accept", ""), OFFERED)
    if media_type is None:
        raise Problem(406, "NotAcceptable", {"offered": OFFERED})
    form = lists.find(lists.FORMATS, media_type=media_type)
    if form is None:
        return await _page(request, reading, asked)
    return await _file(request, reading, asked, form)


@dataclass(frozen=True)
class Shown:
    """A page of a list, and what its Link header tells."""

    content: bytes
    links: dict[str, str]

    def __len__(self) -> int:
        return len(self.content)


async def _page(request: Request, reading: Published, asked: Asked) -> Response:
    told, view = language_of(request), request.query_params.get("vue", LIST)
    key = (request.url.path, request.url.query, HTML, told)
    make = partial(_shown, request, reading, asked, view)
    shown = await reading.page(key, make) if view in VIEWS else None
    if shown is None:
        raise Problem(404, "NotFound")
    return represent(request, reading, shown.content, HTML, language=told, links=shown.links)


async def _shown(request: Request, reading: Published, asked: Asked, view: str) -> Shown | None:
    told, base = language_of(request), request.app.state.service.settings.base
    found = await pages.page(reading, reading.index, base, asked, told)
    if found is None:
        return None
    drawn = None
    if view == "carte":
        drawn = await reading.aside(partial(_drawn, reading.index, found.asked, told))
    address = address_of(request, reading, asked.kind, asked.filters, PLAIN)
    content = pages_of(request).render(
        "list.html",
        request,
        told,
        page=found,
        shape=kinds.shape_of(reading.schema, found.kind),
        address=address,
        view=view,
        views=_views(reading.schema, found.kind),
        drawn=drawn,
        files=lists.of(found.total),
        query=selection.query_of(reading, reading.index, found.asked),
    )
    return Shown(content, _links(found, address))


def _views(schema: Schema, kind: str) -> tuple[str, ...]:
    """Return the views of a list: a map only of what has a place, or stands at one."""
    classes = kinds.classes_of(schema, kind)
    told = {shape.predicate for each in classes for shape in schema.properties_of(each)}
    return VIEWS if told & PLACING else VIEWS[:-1]


def _drawn(index: Index, asked: Asked, language: str) -> maps.Drawing:
    _, iris = selection.select(index, asked, language, limit=maps.MOST)
    places = index.points(iris)
    return maps.drawn(places, index.labels(list(places), language))


async def _file(
    request: Request, reading: Published, asked: Asked, form: lists.Form[Asked]
) -> Response:
    everything = replace(asked, number=1)
    select = partial(selection.select, reading.index, everything, language_of(request), limit=1)
    total, _ = await reading.aside(select)
    if total > form.most:
        raise Problem(403, "FileTooLarge", {"total": total, "limit": form.most})
    return await lists.respond(request, reading, form, everything, asked.kind)


# What the addresses of lists have in common with those of dashboard and agenda


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


def _links(found: pages.ListPage, address: Address) -> dict[str, str]:
    """Return the Link header: RFC 8288, with prev and next of HTML."""
    links = {
        address.to(form.suffix): f'rel="alternate"; type="{form.media_type}"'
        for form in lists.of(found.total)
    }
    if found.number > 1:
        links[address.to(page=found.number - 1 if found.number > 2 else "")] = 'rel="prev"'  # noqa: PLR2004
    if found.number < found.pages:
        links[address.to(page=found.number + 1)] = 'rel="next"'
    return links | {"/voc/ns": 'rel="describedby"'}
