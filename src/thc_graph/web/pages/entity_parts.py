"""Aspects of an entity that have an address of their own.

They are a section of its page as a file, who points at it through one property, and the
history of its changes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Store
from starlette.requests import Request
from starlette.responses import Response

from thc_graph import quantities
from thc_graph.entities import describing
from thc_graph.entities.model import Entity
from thc_graph.entities.sections import Section, section
from thc_graph.instance.reading import Published
from thc_graph.instance.service import Service
from thc_graph.rdf.iris import is_iri
from thc_graph.rdf.terms import XSD
from thc_graph.sheets.tables.writing import WRITERS, Cell
from thc_graph.store.history.commits import Commit
from thc_graph.versions.differences import Difference, differences
from thc_graph.web.files import entities, forms, lists
from thc_graph.web.http.negotiation import HTML, choose
from thc_graph.web.http.problems import NOT_FOUND, Problem
from thc_graph.web.http.responses import represent, today
from thc_graph.web.http.routing import Parameters, Router
from thc_graph.web.http.visit import language_of, pages_of
from thc_graph.web.pages import former
from thc_graph.web.pages.entities import document, heading

SHOWN: Final = 20  # versions of a history
SIZE: Final = 50  # entities of a page of those that point here
CITING: Final = Parameters(("propriete", "liste", "page"))
QUERY: Final = "application/sparql-query"

Make = Callable[[], Awaitable[bytes]]

router = Router()


@dataclass(frozen=True)
class Change:
    """What one commit changed of the entity."""

    commit: Commit
    difference: Difference


@router.get("/doc/{kind}/{key:key}/historique")
async def history(kind: str, key: str, request: Request, reading: Published) -> Response:
    """Show which versions changed an entity, and what each of them changed."""
    entity, told = await _entity(request, reading, kind, key), language_of(request)
    make = partial(_history, request, reading, entity, kind)
    return await _html(request, reading, make, told)


async def _history(request: Request, reading: Published, entity: Entity, kind: str) -> bytes:
    told = language_of(request)
    service: Service = request.app.state.service
    changes = await _changes(service, reading, entity.iri, told)
    return _render(request, reading, "history.html", entity, kind, changes=changes, limit=SHOWN)


async def _changes(service: Service, reading: Published, iri: NamedNode, told: str) -> list[Change]:
    """Return the changes, read one commit at a time: work in a thread cannot be stopped."""
    known = await entities.touches(reading, service.history)
    touches = known.of(iri, SHOWN)
    store, changes = await reading.once("store", partial(_opened, reading)), list[Change]()
    while (touch := await reading.aside(partial(next, touches, None))) is not None:
        compare = partial(differences, touch.change, store, reading.schema, told)
        changes += [Change(touch.commit, each) for each in await reading.aside(compare)]
    return changes


async def _opened(reading: Published) -> Store:
    """Open the snapshot, once for all pages of history: each opening starts threads of its own."""
    return await reading.aside(reading.snapshot.store)


@router.get("/doc/{kind}/{key:key}/cite-par", asks=CITING)
async def cited(kind: str, key: str, request: Request, reading: Published) -> Response:
    """List the entities of a kind that point at one through a property, fifty a page."""
    entity = await _entity(request, reading, kind, key)
    return await citing(request, reading, entity, kind)


async def citing(request: Request, reading: Published, entity: Entity, kind: str) -> Response:
    """Answer with a page of those that point at an entity, as the address asks."""
    told = language_of(request)
    asked = request.query_params
    by, page = asked.get("propriete", ""), quantities.page(asked.get("page", "1"))
    if not is_iri(by) or page is None:
        raise Problem(404, "NotFound")
    through = (NamedNode(by), asked.get("liste", ""))
    found = (await describing.citing(reading, entity.iri, [through])).get(through, ())
    pages = max(1, -(-len(found) // SIZE))
    if not found or page > pages:
        raise Problem(404, "NotFound")
    make = partial(_cited, request, reading, entity, kind, (NamedNode(by), found, page, pages))
    return await _html(request, reading, make, told)


async def _cited(
    request: Request,
    reading: Published,
    entity: Entity,
    kind: str,
    found: tuple[NamedNode, Sequence[NamedNode], int, int],
) -> bytes:
    by, nodes, number, pages = found
    shown = nodes[(number - 1) * SIZE : number * SIZE]
    named = await describing.named(reading, [by, *shown], language_of(request))
    return _render(
        request,
        reading,
        "cited.html",
        entity,
        kind,
        by=named[0],
        values=named[1:],
        total=len(nodes),
        number_=number,
        pages=pages,
    )


@router.get("/doc/{kind}/{key:key}/{name}")
async def part(kind: str, key: str, name: str, request: Request, reading: Published) -> Response:
    """Give a section of a page as a table to take away, or as its query.

    What is no section may be a thing whose key holds a "/".
    """
    id_, _, suffix = name.rpartition(".")
    form = forms.find(lists.FORMATS, suffix)
    if form is None or suffix not in {*WRITERS, "rq"}:
        return await document(kind, f"{key}/{name}", request, reading)
    told, day = language_of(request), today(request)
    make = partial(_file, request, reading, (kind, key, id_), suffix)
    content = await reading.page((request.url.path, form.media_type, told, day), make)
    if content is None:
        return await _no_section(kind, key, name, request, reading)
    response = represent(request, reading, content, form.media_type, language=told, day=day)
    disposition = "inline" if form.media_type == QUERY else "attachment"
    response.headers["Content-Disposition"] = f'{disposition}; filename="{name}"'
    return response


async def _no_section(
    kind: str, key: str, name: str, request: Request, reading: Published
) -> Response:
    try:
        return await document(kind, f"{key}/{name}", request, reading)
    except Problem as absence:
        if absence.status == NOT_FOUND:
            await former.follow(request, reading, kind, key)
        raise


async def _file(
    request: Request, reading: Published, asked: tuple[str, str, str], suffix: str
) -> bytes | None:
    """Return a section as a file, None where there is no such section."""
    kind, key, id_ = asked
    entity = await _known(request, reading, kind, key)
    if entity is None:
        return None
    classes = [each.term for each in entity.classes if isinstance(each.term, NamedNode)]
    told, day = language_of(request), today(request)
    found = await section(reading, entity.iri, classes, id_, day, told)
    if found is None:
        return None
    return found.query.encode() if suffix == "rq" else await _table(found, suffix)


async def _table(found: Section, suffix: str) -> bytes:
    """Return a section as a file: each column, and beside a name the IRI it stands for."""
    titles = [title for title, _ in _columns(found)]
    rows = [tuple(cell for _, cell in _columns(found, place)) for place in range(len(found.rows))]
    return await asyncio.to_thread(WRITERS[suffix], titles, rows)


def _columns(found: Section, place: int | None = None) -> Iterator[tuple[str, Cell]]:
    for column in found.columns:
        is_named = any(r[column.variable].label for r in found.having(column.variable))
        value = None if place is None else found.rows[place].get(column.variable)
        term = value.term if value else None
        text = value.label.value if value and value.label else getattr(term, "value", "")
        yield column.name, _cell(term, text)
        if is_named:
            yield f"{column.name} (IRI)", getattr(term, "value", "")


def _cell(term: object, text: str) -> Cell:
    numeric = isinstance(term, Literal) and term.datatype in (XSD["integer"], XSD["decimal"])
    return float(text) if numeric else text


async def _entity(request: Request, reading: Published, kind: str, key: str) -> Entity:
    found = await _known(request, reading, kind, key)
    if found is None:
        await former.follow(request, reading, kind, key)
        raise Problem(404, "NotFound")
    return found


async def _known(request: Request, reading: Published, kind: str, key: str) -> Entity | None:
    iri = f"{request.app.state.service.settings.base}/id/{kind}/{key}"
    if not is_iri(iri):
        return None
    return await describing.summary(reading, NamedNode(iri), language_of(request))


async def _html(request: Request, reading: Published, make: Make, told: str) -> Response:
    if choose(request.headers.get("accept", ""), (HTML,)) is None:
        raise Problem(406, "NotAcceptable", {"offered": (HTML,)})
    content = await reading.page((request.url.path, request.url.query, HTML, told), make)
    return represent(request, reading, content, HTML, language=told)


def _render(
    request: Request, reading: Published, name: str, entity: Entity, kind: str, **given: Any
) -> bytes:
    pages, told = pages_of(request), language_of(request)
    path = request.url.path.rpartition("/")[0]
    title = heading(pages, reading, kind, told)
    return pages.render(
        name, request, told, entity=entity, path=path, kind=kind, heading=title, **given
    )
