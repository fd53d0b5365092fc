"""The home page, and the list of each kind of entity, as a page and as files."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from thc_graph import lists
from thc_graph.lists import Asked
from thc_graph.search.index import Index
from thc_graph.service import Published
from thc_graph.web import files, maps
from thc_graph.web.entities import HTML
from thc_graph.web.negotiation import choose
from thc_graph.web.problems import Problem
from thc_graph.web.rendering import language_of, pages_of
from thc_graph.web.responses import represent
from thc_graph.web.routing import Router

router = Router()
last_router = Router()  # `/{kind}` takes what no other address has

OFFERED: Final = (HTML, *(form.media_type for form in files.FORMATS))
LIST: Final = "liste"
VIEWS: Final = (LIST, "tableau", "carte")


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


@router.get("/voc")
async def vocabularies(request: Request, reading: Published) -> Response:
    return await members(lists.VOCABULARIES, request, reading)


@last_router.get("/{name}")
async def members(name: str, request: Request, reading: Published) -> Response:
    kind, _, suffix = name.partition(".")
    base = request.app.state.service.settings.base
    asked = lists.read(reading.schema, base, kind, request.query_params.multi_items())
    form = files.by_suffix(suffix or request.query_params.get("format", ""))
    if asked is None or (suffix and not form):
        raise Problem(404, "NotFound")
    media_type = form.media_type if form else choose(request.headers.get("accept", ""), OFFERED)
    if media_type is None:
        raise Problem(406, "NotAcceptable", {"offered": OFFERED})
    if media_type == HTML:
        return await _page(request, reading, asked, base)
    return await _file(request, reading, asked, media_type)


@dataclass(frozen=True)
class Shown:
    """A page of a list, and what its Link header tells."""

    content: bytes
    links: dict[str, str]

    def __len__(self) -> int:
        return len(self.content)


async def _page(request: Request, reading: Published, asked: Asked, base: str) -> Response:
    told, view = language_of(request), request.query_params.get("vue", LIST)
    key = (request.url.path, request.url.query, HTML, told)
    make = partial(_shown, request, reading, asked, base, view)
    shown = await reading.page(key, make) if view in VIEWS else None
    if shown is None:
        raise Problem(404, "NotFound")
    return represent(request, reading, shown.content, HTML, language=told, links=shown.links)


async def _shown(
    request: Request, reading: Published, asked: Asked, base: str, view: str
) -> Shown | None:
    told = language_of(request)
    found = await lists.page(reading, reading.index, base, asked, told)
    if found is None:
        return None
    drawn = None
    if view == "carte":
        drawn = await reading.aside(partial(_drawn, reading.index, found.asked, told))
    address = _address(request, asked, base)
    content = pages_of(request).render(
        "list.html",
        request,
        told,
        page=found,
        shape=lists.shape_of(reading.schema, found.kind),
        address=address,
        view=view,
        views=VIEWS,
        drawn=drawn,
        files=files.of(found.total),
        query=lists.query_of(reading, reading.index, found.asked),
    )
    return Shown(content, _links(found, address))


def _drawn(index: Index, asked: Asked, language: str) -> maps.Drawing:
    _, iris = lists.select(index, asked, language, limit=maps.MOST)
    places = index.points(iris)
    return maps.drawn(places, index.labels(list(places), language))


async def _file(request: Request, reading: Published, asked: Asked, media_type: str) -> Response:
    form, told = files.by_media_type(media_type), language_of(request)
    everything = replace(asked, number=1)
    select = partial(lists.select, reading.index, everything, told, limit=1)
    total, _ = await reading.aside(select)
    if total > form.most:
        raise Problem(403, "FileTooLarge", {"total": total, "limit": form.most})
    key = (request.url.path, request.url.query, media_type, told)
    base = request.app.state.service.settings.base
    source = files.Source(reading, everything, told, base, pages_of(request).settings.title)
    content = await reading.page(key, partial(form.write, source))
    assert content is not None
    response = represent(request, reading, content, media_type, language=told)
    disposition = "inline" if form.shown else "attachment"
    response.headers["Content-Disposition"] = (
        f'{disposition}; filename="{asked.kind}.{form.suffix}"'
    )
    return response


def _address(request: Request, asked: Asked, base: str) -> Address:
    """Return the address of a list, of what was asked only what is understood."""
    reading: Published = request.app.state.service.published
    shapes = lists.facets_of(reading.schema, lists.classes_of(reading.schema, asked.kind))
    names = {"q", "tri", "page", "vue", "lang", "tout"}
    told = [
        (slug, lists.token_of(shapes[slug], value, base))
        for slug, values in asked.filters.items()
        for value in values
    ]
    plain = [pair for pair in request.query_params.multi_items() if pair[0] in names and pair[1]]
    return Address(asked.kind, (*told, *plain))


def _links(found: lists.ListPage, address: Address) -> dict[str, str]:
    """Return the Link header: RFC 8288, with prev and next of HTML."""
    links = {
        address.to(form.suffix): f'rel="alternate"; type="{form.media_type}"'
        for form in files.of(found.total)
    }
    if found.number > 1:
        links[address.to(page=found.number - 1 if found.number > 2 else "")] = 'rel="prev"'  # noqa: PLR2004
    if found.number < found.pages:
        links[address.to(page=found.number + 1)] = 'rel="next"'
    return links | {"/voc/ns": 'rel="describedby"'}
