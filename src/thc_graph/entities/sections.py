"""Sections: what the page of some classes tells beside the entity's own facts.

A section is a file of queries/entity/section/: `#+ of` names the classes whose pages
have it, `#+ view` how it is shown, and its variables are its columns. A section whose
query asks for the day (`slot jour`) is another one tomorrow. `#+ through` names the
properties it begins with: without a fact of one of them there is nothing to ask.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Final

from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.entities.describing import labels, unnamed
from thc_graph.entities.model import Citation, Value
from thc_graph.entities.view import View, index
from thc_graph.rdf.terms import PREFIXES, THC, XSD, Namespace, Term, text_in
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import Text
from thc_graph.store.library import Filling, Library, Reader, StoredQuery

FOLDER: Final = "entity/section"
HOME: Final = "home"
DAY: Final = "jour"

Row = Mapping[str, Value]  # by variable; what is unbound is absent


@dataclass(frozen=True)
class Column:
    variable: str
    name: str


@dataclass(frozen=True)
class Section:
    """`whole` is the kind and the facet of the list this is the beginning or the count of.

    `by` is a second facet, where each row counts one of its values.
    """

    id: str
    title: str
    view: str
    query: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    whole: tuple[str, str] | None = None
    by: str = ""

    def first(self, variable: str) -> Value | None:
        """Return the first value of a column that has one."""
        return next((row[variable] for row in self.rows if variable in row), None)

    def having(self, variable: str) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if variable in row)


async def sections(
    reader: Reader,
    iri: NamedNode,
    told: Sequence[Triple],
    citations: Iterable[Citation],
    language: str,
    day: date,
) -> tuple[Section, ...]:
    """Return the sections of an entity's page that have something to tell, in their order.

    `told` are the facts about it, `citations` all that points at it.
    """
    classes = View(reader.schema, index(told), language).classes(iri)
    properties = {each.predicate for each in told} | {each.property for each in citations}
    asked = _of(reader.library, reader.schema, classes)
    begun = [each for each in asked if _begins(each, properties)]
    return await _told(reader, begun, iri, language, day, told)


async def home(reader: Reader, language: str, day: date) -> tuple[Section, ...]:
    """Return the sections of the first page, which are about no entity."""
    queries = [reader.library.get(name) for name in reader.library.names(HOME)]
    return await _told(reader, sorted(queries, key=_order), None, language, day)


async def _told(
    reader: Reader,
    asked: Sequence[StoredQuery],
    iri: NamedNode | None,
    language: str,
    day: date,
    told: Sequence[Triple] = (),
) -> tuple[Section, ...]:
    slots = [_slots(query, iri, day) for query in asked]
    answers = await asyncio.gather(
        *(reader.bindings(query.name, **own) for query, own in zip(asked, slots, strict=True))
    )
    found = [each for each in zip(asked, slots, answers, strict=True) if each[2]]
    terms = (term for _, _, rows in found for row in rows for term in row.values())
    names = await labels(reader, unnamed(terms, told))
    view = View(reader.schema, index([*told, *names]), language)
    return tuple(
        replace(_section(view, query, rows), query=reader.library.fill(query.name, **own))
        for query, own, rows in found
    )


async def section(
    reader: Reader, iri: NamedNode, classes: Iterable[NamedNode], name: str, day: date, told: str
) -> Section | None:
    """Return one section of a page by its name, None where the page has none."""
    asked = _of(reader.library, reader.schema, tuple(classes))
    named = [each for each in asked if _id(each) == name]
    return next(iter(await _told(reader, named, iri, told, day)), None)


def depends_on_day(library: Library, schema: Schema, classes: Iterable[NamedNode]) -> bool:
    """Tell whether the page of some classes is another one on another day."""
    return any(DAY in query.slots for query in _of(library, schema, tuple(classes)))


def _of(library: Library, schema: Schema, classes: Sequence[NamedNode]) -> list[StoredQuery]:
    above = {each for class_ in classes for each in schema.ancestors(class_)}
    queries = [library.get(name) for name in library.names(FOLDER)]
    wanted = [query for query in queries if above & set(_classes(query.headers.get("of", "")))]
    return sorted(wanted, key=_order)


def _begins(query: StoredQuery, properties: Collection[NamedNode]) -> bool:
    through = _properties(query.headers.get("through", ""))
    return not through or any(each in properties for each in through)


@cache
def _properties(curies: str) -> tuple[NamedNode, ...]:
    parts = (each.partition(":") for each in curies.split())
    return tuple(Namespace(PREFIXES[prefix])[name] for prefix, _, name in parts)


@cache
def _classes(names: str) -> tuple[NamedNode, ...]:
    return tuple(THC[name] for name in names.split())


def _id(query: StoredQuery) -> str:
    return query.name.rpartition("/")[2]


def _order(query: StoredQuery) -> float:
    return float(query.headers.get("order", "99"))


def _slots(query: StoredQuery, iri: NamedNode | None, day: date) -> dict[str, Filling]:
    slots: dict[str, Filling] = {"entity": iri} if iri else {}
    if DAY in query.slots:
        slots[DAY] = Literal(day.isoformat(), datatype=XSD["date"])
    return slots


def _section(view: View, query: StoredQuery, rows: list[dict[str, Term]]) -> Section:
    kind, _, facet = query.headers.get("whole", "").partition("?")
    return Section(
        id=_id(query),
        title=_titled(query).in_(view.language),
        view=query.headers.get("view", "table"),
        query="",
        columns=tuple(_columns(query, rows, view.language)),
        rows=tuple(_best(view, rows)),
        whole=(kind, facet) if facet else None,
        by=query.headers.get("by", ""),
    )


def _titled(query: StoredQuery) -> Text:
    return Text(query.headers.get("title fr", ""), query.headers.get("title en", ""))


def _columns(query: StoredQuery, rows: list[dict[str, Term]], language: str) -> Iterator[Column]:
    """Yield the columns that the file names and some row fills, in the order of the file."""
    for header in query.headers:
        variable = header.removeprefix("column fr ")
        if variable != header and any(variable in row for row in rows):
            named = Text(query.headers[header], query.headers.get(f"column en {variable}", ""))
            yield Column(variable, named.in_(language))


def _best(view: View, rows: list[dict[str, Term]]) -> Iterator[Row]:
    """Yield the rows, those that differ in the language of a text only as one, in the best."""
    together: dict[tuple[object, ...], list[dict[str, Term]]] = {}
    for row in rows:
        key = tuple(sorted((name, str(term)) for name, term in row.items() if not _spoken(term)))
        together.setdefault(key, []).append(row)
    for same in together.values():
        yield {name: _value(view, [r[name] for r in same if name in r]) for name in same[0]}


def _spoken(term: Term) -> bool:
    return isinstance(term, Literal) and bool(term.language)


def _value(view: View, terms: list[Term]) -> Value:
    texts = [each for each in terms if isinstance(each, Literal) and each.language]
    return view.value(text_in(texts, view.language) or terms[0])
