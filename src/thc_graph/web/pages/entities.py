"""Entities over HTTP: `/id/…` names the thing, `/doc/…` is what is said about it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from pyoxigraph import NamedNode
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from thc_graph.entities import describing, sections, words
from thc_graph.entities.model import Citation, Entity
from thc_graph.entities.sections import Section
from thc_graph.entities.sources import sources
from thc_graph.entities.words import Word
from thc_graph.instance.reading import Published
from thc_graph.lists import addresses, kinds, selection
from thc_graph.rdf import formats, iris
from thc_graph.rdf.iris import is_iri
from thc_graph.rdf.terms import THC, VOCABULARY
from thc_graph.schema.model import Schema
from thc_graph.web.files import entities
from thc_graph.web.files import forms as file_forms
from thc_graph.web.files.entities import Record, Thing
from thc_graph.web.http.negotiation import HTML, acceptable
from thc_graph.web.http.problems import NOT_FOUND, Problem
from thc_graph.web.http.responses import RESERVED, represent, today
from thc_graph.web.http.routing import Parameters, Router
from thc_graph.web.http.visit import language_of, pages_of
from thc_graph.web.pages import former
from thc_graph.web.rendering.schema_org import structured
from thc_graph.web.rendering.templates import Pages

if TYPE_CHECKING:
    from thc_graph.instance.service import Service

ASKS: Final = Parameters(("source",))
WORD: Final = "entity-word.html"
FORMATS: Final = (*formats.GRAPH_FORMATS, *formats.DATASET_FORMATS)
OFFERED: Final = (
    HTML,
    *(form.media_type for form in FORMATS),
    *(form.media_type for form in entities.FORMS),
)

_PATH: Final = "/:@!$&'()*+,;=~-._"  # RFC 3986, section 3.3

router = Router()


@dataclass(frozen=True)
class Document:
    """What an address of `/doc/` or `/voc/` asks for; `path` has no suffix.

    `day` is given where the page is another one tomorrow; `thing` is what is published,
    `citations` who points at it.
    """

    path: str
    iri: NamedNode
    media_type: str
    language: str
    day: date | None = None
    thing: Thing | None = None
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True)
class Content:
    """A representation, empty where the entity has none of that type.

    `is_cut` tells that there is more, `files` what else the entity has.
    """

    content: bytes
    files: tuple[Record, ...] = ()
    is_cut: bool = False

    def __len__(self) -> int:
        return len(self.content)


Page = Callable[[Request, Published, Document], Awaitable[bytes | None]]  # None: nothing is said


@router.get("/id/{kind}/{key:key}", asks=ASKS)
async def thing(kind: str, key: str, request: Request, reading: Published) -> Response:
    """Send a reader on to what is said about a thing: W3C, Cool URIs, section 4.2."""
    await former.follow(request, reading, kind, key)
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(quote(f"/doc/{kind}/{key}", safe=_PATH) + query, 303)


@router.get("/doc/{kind}/{name}", name="document", asks=ASKS)
async def document(kind: str, name: str, request: Request, reading: Published) -> Response:
    """Answer with what is said about a thing; a key may itself end as a suffix does."""
    key, media_type = split(name)
    asked = [(key, media_type)] if media_type is None else [(key, media_type), (name, None)]
    for each in asked:
        try:
            return await _document(request, reading, kind, *each)
        except Problem as absence:
            if absence.status != NOT_FOUND:
                raise
            absent = absence
    await former.follow(request, reading, kind, key)
    raise absent


async def _document(
    request: Request, reading: Published, kind: str, key: str, media_type: str | None
) -> Response:
    base = request.app.state.service.settings.base
    named = [f"{base}/id/{kind}/{key}"]
    daily = await reading.once("daily", partial(_daily, reading))
    day = today(request) if kind in daily else None
    return await first(request, reading, f"/doc/{kind}/{key}", named, media_type, page, day)


def split(name: str) -> tuple[str, str | None]:
    """Return a name without its suffix, and the media type that the suffix stands for."""
    key, dot, suffix = name.rpartition(".")
    if dot and suffix == "html":
        return key, HTML
    form = formats.by_suffix(suffix) or file_forms.find(entities.FORMS, suffix) if dot else None
    return (key, form.media_type) if form else (name, None)


async def first(
    request: Request,
    reading: Published,
    path: str,
    named: Sequence[str],
    media_type: str | None,
    page: Page,
    day: date | None = None,
) -> Response:
    """Answer with the first of some IRIs about which something is published."""
    accept = request.headers.get("accept", "")
    wanted = (media_type,) if media_type else acceptable(accept, OFFERED)
    if not wanted:
        raise Problem(406, "NotAcceptable", {"offered": OFFERED})
    found: Content | None = None
    for iri in filter(is_iri, named):
        for each in wanted:
            told = "" if formats.by_media_type(each) else language_of(request)
            asked = Document(path, NamedNode(iri), each, told, day if each == HTML else None)
            key = (path, request.url.query, iri, each, told, asked.day)
            found = await reading.page(key, partial(_content, request, reading, asked, page))
            if found is None:
                break
            if found.content:
                return _answer(request, reading, asked, found)
    if found is not None and media_type is None:
        gone = {each.media_type for each in entities.FORMS if each not in found.files}
        offered = [each for each in OFFERED if each not in gone]
        raise Problem(406, "NotAcceptable", {"offered": offered})
    raise _absence(request, named)


def _answer(request: Request, reading: Published, asked: Document, content: Content) -> Response:
    links = _links(request.app.state.service.settings.base, asked, content.files)
    answer = represent(
        request,
        reading,
        content.content,
        asked.media_type,
        language=asked.language,
        links=links,
        day=asked.day,
    )
    if content.is_cut:
        answer.headers["X-Truncated"] = "true"
    form = file_forms.find(content.files, media_type=asked.media_type)
    if form is not None:
        name = f"{asked.path.rpartition('/')[2]}.{form.suffix}"
        disposition = "inline" if form.shown else "attachment"
        answer.headers["Content-Disposition"] = f'{disposition}; filename="{quote(name)}"'
    return answer


async def _daily(reading: Published) -> frozenset[str]:
    """Return the kinds of which a page is another one tomorrow."""
    schema, library = reading.schema, reading.library
    named = {kind for each in schema.classes if (kind := schema.kind_of(each))}
    classes = {kind: kinds.classes_of(schema, kind) for kind in named}
    return frozenset(
        kind for kind, each in classes.items() if sections.depends_on_day(library, schema, each)
    )


def _moved(request: Request, asked: Document, target: str) -> Problem:
    """Return 301 towards what took the place of a former IRI, here in the format asked for."""
    if target.startswith("/"):
        target += str(request.scope["path"]).removeprefix(asked.path)
        target += f"?{request.url.query}" if request.url.query else ""
    return Problem(301, "Merged", {}, {"Location": quote(target, safe=RESERVED)})


def _absence(request: Request, named: Sequence[str]) -> Problem:
    """Return 410 for what was erased, which says when and why, else 404."""
    service: Service = request.app.state.service
    for found in filter(None, map(service.tombstone, named)):
        return Problem(410, f"Withdrawn.{found.reason}", {"since": found.time[: len("2016-03-30")]})
    return Problem(404, "NotFound")


async def _content(
    request: Request, reading: Published, asked: Document, page: Page
) -> Content | None:
    form = formats.by_media_type(asked.media_type)
    told, pointing, citations = await asyncio.gather(
        describing.facts(reading, asked.iri),
        describing.incoming(reading, asked.iri) if form else _none(),
        describing.citations(reading, asked.iri) if asked.media_type == HTML else _none(),
    )
    if not told:
        return None
    successor = describing.replacement(asked.iri, told)
    target = pages_of(request).local(successor.value) if successor else None
    if target:
        raise _moved(request, asked, target)
    history = request.app.state.service.history
    thing = await entities.thing(reading, history, asked.iri, told, asked.path)
    held = entities.of(reading.schema, thing)
    if asked.media_type == HTML:
        known = replace(asked, thing=thing, citations=tuple(citations))
        made = await page(request, reading, known)
        return Content(made, held) if made is not None else None
    if form is None:
        file = file_forms.find(held, media_type=asked.media_type)
        source = file_forms.source(request, reading, thing)
        return Content(await file.write(source) if file else b"", held)
    found, is_cut = await describing.triples(reading, told, pointing)
    written = await reading.aside(partial(formats.write, found, form, {}))
    return Content(written, held, is_cut)


async def page(request: Request, reading: Published, asked: Document) -> bytes | None:
    """Return the page of an entity, arranged by the template of its class."""
    assert asked.thing is not None
    facts = asked.thing.told
    day = asked.day or today(request)
    wants_sources = request.query_params.get("source") == "1"
    entity, parts, told = await asyncio.gather(
        describing.describe(reading, asked.iri, facts, asked.citations, asked.language),
        sections.sections(reading, asked.iri, facts, asked.citations, asked.language, day),
        sources(reading, asked.iri, asked.language) if wants_sources else _nothing(),
    )
    pages, kind = pages_of(request), kind_of(request, asked.iri)
    classes = [each.term for each in entity.classes if isinstance(each.term, NamedNode)]
    word = await _word(reading, asked, entity)
    return pages.render(
        WORD if word else template(pages, reading.schema, classes),
        request,
        asked.language,
        entity=entity,
        sections=parts,
        sources=told,
        path=asked.path,
        files=entities.of(reading.schema, asked.thing),
        changed=asked.thing.changed,
        kind=kind,
        heading=heading(pages, reading, kind, asked.language),
        query=describing.query_of(reading, asked.iri),
        called=partial(_called, reading, asked.language),
        listed=partial(_listed, request, reading, asked),
        whole=partial(_whole, request, reading, asked),
        structured=structured(reading.schema, entity, pages.settings.base, asked.path),
        word=word,
    )


async def _word(reading: Published, asked: Document, entity: Entity) -> Word | None:
    """Return the documentation of a word of our vocabulary, None for any other thing."""
    if not asked.iri.value.startswith(VOCABULARY):
        return None
    types = [each.term for each in entity.classes]
    return await words.word(reading, asked.iri, types, asked.language)


async def _nothing() -> None:
    return None


async def _none() -> list[Any]:
    return []


def template(pages: Pages, schema: Schema, classes: Sequence[NamedNode]) -> str:
    """Return the template of the nearest class that has one of its own: entity-engagement.html."""
    above = (each for class_ in classes for each in schema.ancestors(class_))
    names = (each.value.removeprefix(THC).lower() for each in above)
    own = (f"entity-{name}.html" for name in names if name.isascii() and name.isalpha())
    return next((each for each in own if pages.has(each)), "entity.html")


def _listed(request: Request, reading: Published, asked: Document, citation: Citation) -> str:
    """Return the address where all the entities of a citation are: a list, if it finds as many."""
    schema, base = reading.schema, request.app.state.service.settings.base
    shapes = kinds.facets_of(schema, kinds.classes_of(schema, citation.kind))
    for slug, shape in shapes.items():
        if shape.path and shape.predicate == citation.property:
            found = addresses.Asked(citation.kind, filters={slug: (asked.iri,)})
            narrowed = selection.narrowed(reading.index, found, found.filters)
            if reading.index.total(narrowed) == citation.count:
                token = quote(addresses.token_of(shape, asked.iri, base), safe="/")
                return f"/{citation.kind}?{slug}={token}"
    named = quote(citation.property.value, safe="")
    return f"{asked.path}/cite-par?propriete={named}&liste={citation.kind}"


def _whole(
    request: Request, reading: Published, asked: Document, part: Section, by: NamedNode | None
) -> str:
    """Return the address of the list that a section begins, or of which a row counts a part."""
    if part.whole is None:
        return ""
    base, (kind, facet) = request.app.state.service.settings.base, part.whole
    shapes = kinds.facets_of(reading.schema, kinds.classes_of(reading.schema, kind))
    wanted = {facet: asked.iri} | ({part.by: by} if by else {})
    if not wanted.keys() <= shapes.keys():
        return ""
    tokens = (
        f"{n}={quote(addresses.token_of(shapes[n], v, base), safe='/')}" for n, v in wanted.items()
    )
    return f"/{kind}?{'&'.join(tokens)}"


def kind_of(request: Request, iri: NamedNode) -> str:
    """Return the list an entity stands in."""
    found = iris.kind_and_key(iri.value, request.app.state.service.settings.base)
    return found[0] if found else kinds.VOCABULARIES


def _called(reading: Published, told: str, kind: str) -> str:
    shape = kinds.shape_of(reading.schema, kind)
    return shape.name.in_(told) if shape else ""


def heading(pages: Pages, reading: Published, kind: str, told: str) -> str:
    return _called(reading, told, kind) or pages.translator(told)("list.vocabularies")


def _links(base: str, asked: Document, held: Iterable[Record]) -> dict[str, str]:
    """Return the Link header: RFC 8288, with the relations of RFC 6596 and 6892."""
    path = asked.path
    forms: Iterable[formats.Format | Record] = (*FORMATS, *held)
    links = {
        f"{path}.{each.suffix}": f'rel="alternate"; type="{each.media_type}"' for each in forms
    }
    return links | {
        f"{path}.html": f'rel="alternate"; type="{HTML}"',
        f"{base}{path}": 'rel="canonical"',
        asked.iri.value: 'rel="describes"',
        "/voc/ns": 'rel="describedby"',
    }
