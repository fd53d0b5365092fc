"""The home page, and the list of each kind of entity, as a page and as files."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from thc_graph.instance.reading import Published
from thc_graph.lists import addresses, kinds, pages, selection
from thc_graph.lists.addresses import Asked
from thc_graph.rdf.terms import PREFIXES, THC, Namespace
from thc_graph.schema.model import Schema
from thc_graph.search.index import Index
from thc_graph.web.drawing import maps
from thc_graph.web.files import forms, lists
from thc_graph.web.http.addresses import Address, address_of
from thc_graph.web.http.negotiation import HTML, choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import represent
from thc_graph.web.http.routing import Parameters, Router
from thc_graph.web.http.visit import language_of, pages_of

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


@router.get("/voc", asks=ASKS)
async def vocabularies(request: Request, reading: Published) -> Response:
    return await members(kinds.VOCABULARIES, request, reading)


@last_router.get("/{name}", asks=ASKS)
async def members(name: str, request: Request, reading: Published) -> Response:
    kind, _, suffix = name.partition(".")
    base = request.app.state.service.settings.base
    asked = addresses.read(reading.schema, base, kind, request.query_params.multi_items())
    form = forms.find(lists.FORMATS, suffix or request.query_params.get("format", ""))
    if asked is None or (suffix and not form):
        raise Problem(404, "NotFound")
    media_type = form.media_type if form else choose(request.headers.get("accept", ""), OFFERED)
    if media_type is None:
        raise Problem(406, "NotAcceptable", {"offered": OFFERED})
    form = forms.find(lists.FORMATS, media_type=media_type)
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
    request: Request, reading: Published, asked: Asked, form: forms.Form[Asked]
) -> Response:
    everything = replace(asked, number=1)
    select = partial(selection.select, reading.index, everything, language_of(request), limit=1)
    total, _ = await reading.aside(select)
    if total > form.most:
        raise Problem(403, "FileTooLarge", {"total": total, "limit": form.most})
    return await forms.respond(request, reading, form, everything, asked.kind, lists.__name__)


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
