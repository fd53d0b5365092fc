"""Lists: all entities of a kind, a page at a time, by name.

Names are ordered as a French reader looks them up, without regard to accents and
case; SPARQL cannot say that order, so the names of a kind are read once for each
snapshot and sorted here.
"""

import asyncio
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from pyoxigraph import Literal, NamedNode

from thc_graph.rdf.terms import DASH, DCT, SKOS, A, Term, text_in
from thc_graph.schema.model import NodeShape, PropertyShape, Schema, Text
from thc_graph.store.queries import Reader

SIZE = 50  # rows of a page
TOLD = ("DescriptionRole", "IDRole", "KeyInfoRole")  # what a row says beside the name
VOCABULARIES = "voc"  # the list of the concept schemes


@dataclass(frozen=True)
class Fact:
    """One thing a row says beside the name; `label` names the value where it is an IRI."""

    name: str
    role: NamedNode | None
    value: Term
    label: Literal | None


@dataclass(frozen=True)
class Row:
    iri: NamedNode
    label: Literal | None
    summary: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class ListPage:
    """`number` counts from 1; an empty list has one empty page."""

    kind: str
    total: int
    rows: tuple[Row, ...]
    number: int
    pages: int


@dataclass(frozen=True)
class Count:
    kind: str
    name: Text
    total: int


async def page(
    reader: Reader, kind: str, number: int, size: int = SIZE, language: str = "fr"
) -> ListPage | None:
    """Return one page of a kind's list, None where there is no such kind or page."""
    classes = classes_of(reader.schema, kind)
    if not classes:
        return None
    key = ("members", kind, language)
    rows = await reader.once(key, partial(_members, reader, classes, language))
    pages = max(1, -(-len(rows) // size))
    if not 1 <= number <= pages:
        return None
    shown = rows[(number - 1) * size : number * size]
    told = await _summaries(reader, classes, shown, language)
    return ListPage(kind, len(rows), tuple(told), number, pages)


async def counts(reader: Reader) -> tuple[Count, ...]:
    """Return how many entities there are of each kind that has a list, in the schema's order."""
    return await reader.once("counts", partial(_counts, reader))


async def _counts(reader: Reader) -> tuple[Count, ...]:
    found = []
    for shape in reader.schema.listed():
        kind = shape.kind or ""
        classes = classes_of(reader.schema, kind)
        rows = await reader.bindings("list/count", **{"class": classes})
        total = cast("Literal", rows[0]["count"])
        found.append(Count(kind, shape.name, int(total.value)))
    return tuple(found)


def classes_of(schema: Schema, kind: str) -> tuple[NamedNode, ...]:
    """Return the classes whose entities are listed under a kind."""
    if kind == VOCABULARIES:
        return (SKOS["ConceptScheme"],)
    return tuple(iri for iri in _known(schema) if schema.kind_of(iri) == kind)


def shape_of(schema: Schema, kind: str) -> NodeShape | None:
    """Return the shape whose names head a kind's list."""
    return next((shape for shape in schema.listed() if shape.kind == kind), None)


def _known(schema: Schema) -> list[NamedNode]:
    targets = (shape.target for shape in schema.shapes.values())
    return list(dict.fromkeys([*schema.classes, *(each for each in targets if each)]))


async def _members(reader: Reader, classes: Sequence[NamedNode], language: str) -> tuple[Row, ...]:
    found = await reader.bindings("list/members", **{"class": classes})
    return await asyncio.to_thread(_sorted, found, language)


def _sorted(found: Iterable[dict[str, Term]], language: str) -> tuple[Row, ...]:
    names: dict[NamedNode, list[Literal]] = defaultdict(list)
    for row in found:
        entity, label = row["entity"], row.get("label")
        if isinstance(entity, NamedNode):
            names[entity].extend([label] if isinstance(label, Literal) else [])
    rows = (Row(iri, text_in(labels, language)) for iri, labels in names.items())
    return tuple(sorted(rows, key=_place))


def _place(row: Row) -> tuple[bool, str, str]:
    name = row.label.value if row.label else ""
    return not name, sort_key(name), row.iri.value


def sort_key(name: str) -> str:
    """Return what names are ordered by.

    >>> sort_key("Évry-Courcouronnes")
    'evry-courcouronnes'
    """
    letters = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("Œ", "Oe"))
    return "".join(each for each in letters if not unicodedata.combining(each)).casefold()


async def _summaries(
    reader: Reader, classes: Sequence[NamedNode], rows: Sequence[Row], language: str
) -> Iterable[Row]:
    told = _told(reader.schema, classes)
    if not rows or not told:
        return rows
    found: dict[tuple[Term, Term], dict[Term, list[Literal]]] = defaultdict(dict)
    entities = [row.iri for row in rows]
    for row in await reader.bindings("list/summaries", entity=entities, property=list(told)):
        labels = found[row["entity"], row["property"]].setdefault(row["value"], [])
        labels.extend(each for each in (row.get("label"),) if isinstance(each, Literal))

    def facts(iri: NamedNode) -> Iterable[Fact]:
        for predicate, shape in told.items():
            values = found.get((iri, predicate), {})
            for value in _spoken(values, language):
                name = shape.name.in_(language)
                yield Fact(name, shape.role, value, text_in(values[value], language))

    return [Row(row.iri, row.label, tuple(facts(row.iri))) for row in rows]


def _spoken(values: Iterable[Term], language: str) -> list[Term]:
    """Return the values, of a text only the one best read in this language."""
    texts = [each for each in values if isinstance(each, Literal) and each.language]
    others = [each for each in values if each not in texts]
    best = text_in(texts, language)
    return sorted([*others, *([best] if best else [])], key=str)


def _told(schema: Schema, classes: Sequence[NamedNode]) -> dict[NamedNode, PropertyShape]:
    shapes = (shape for iri in classes for shape in schema.properties_of(iri))
    roles = {DASH[role] for role in TOLD}
    found: dict[NamedNode, PropertyShape] = {}
    for shape in shapes:
        told = shape.role in roles and shape.predicate != A  # the list itself says the class
        if told and len(shape.path) == 1 and not shape.path[0].inverse:
            found.setdefault(shape.predicate, shape)
    if classes == (SKOS["ConceptScheme"],):
        found[DCT["description"]] = _DESCRIPTION
    return found


_DESCRIPTION = PropertyShape(iri=DCT["description"], path=(), role=DASH["DescriptionRole"])
