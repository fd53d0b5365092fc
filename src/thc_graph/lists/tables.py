"""Tables: entities as rows, their properties as columns, for those who work in a spreadsheet."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.rdf.terms import Term, text_in
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape
from thc_graph.store.library import Reader

CHUNK: Final = 500  # entities read at once: an answer of the store has a size limit
_DATE: Final = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)(?P<time>T[\d:.]+)?(?P<zone>Z|[+-]\d\d:\d\d)?")
BETWEEN: Final = " | "  # values of one cell, as coordinators write them

# (IRIs, language) → the names of those that have one
Labels = Callable[[Collection[str], str], Mapping[str, Literal | None]]


@dataclass(frozen=True)
class Table:
    """`columns` are headings; a cell is a text or a number."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]


async def table(
    reader: Reader,
    labels: Labels,
    classes: Sequence[NamedNode],
    iris: Sequence[str],
    language: str,
) -> Table:
    """Return the table of some entities: the IRI, then each property of their classes.

    `labels` names what cells point at; it is asked in a thread.
    """
    shapes = columns(reader.schema, classes)
    headings = ("IRI", *(shape.name.in_(language) for shape in shapes.values()))
    rows: list[tuple[str | float, ...]] = []
    for chunk in _chunks(iris):
        facts = await _facts(reader, chunk)
        rows += await reader.aside(partial(_rows, chunk, facts, labels, shapes, language))
    return Table(headings, tuple(rows))


async def facts(reader: Reader, iris: Sequence[str]) -> AsyncIterator[list[Triple]]:
    """Yield what is published about some entities, some of them at a time."""
    for chunk in _chunks(iris):
        yield await _facts(reader, chunk)


async def modified(reader: Reader, iris: Sequence[str]) -> dict[str, str]:
    """Return when entities were last modified (RFC 3339), for those that are dated to the day."""
    found: dict[str, str] = {}
    for chunk in _chunks(iris):
        entities = [NamedNode(each) for each in chunk]
        for row in await reader.bindings("list/modified", entity=entities):
            date = _DATE.fullmatch(cast("Literal", row["modified"]).value)
            if date:
                day, time, zone = date["day"], date["time"] or "T00:00:00", date["zone"] or "Z"
                found[cast("NamedNode", row["entity"]).value] = f"{day}{time}{zone}"
    return found


def columns(schema: Schema, classes: Sequence[NamedNode]) -> dict[NamedNode, PropertyShape]:
    """Return the properties that entities of some classes can have, in page order."""
    found: dict[NamedNode, PropertyShape] = {}
    for shape in (shape for class_ in classes for shape in schema.properties_of(class_)):
        if len(shape.path) == 1 and not shape.path[0].inverse:
            found.setdefault(shape.predicate, shape)
    return found


async def _facts(reader: Reader, iris: Sequence[str]) -> list[Triple]:
    return await reader.graph("list/facts", entity=[NamedNode(each) for each in iris])


def _rows(
    iris: Sequence[str],
    facts: Sequence[Triple],
    labels: Labels,
    shapes: Collection[NamedNode],
    language: str,
) -> list[tuple[str | float, ...]]:
    found: dict[str, dict[NamedNode, list[Term]]] = defaultdict(lambda: defaultdict(list))
    for fact in facts:
        if fact.predicate in shapes and isinstance(fact.subject, NamedNode):
            found[fact.subject.value][fact.predicate].append(fact.object)
    pointed = {fact.object.value for fact in facts if isinstance(fact.object, NamedNode)}
    named = labels(pointed, language)
    return [
        (iri, *(_cell(found[iri].get(each, ()), named, language) for each in shapes))
        for iri in iris
    ]


def _cell(
    values: Sequence[Term], named: Mapping[str, Literal | None], language: str
) -> str | float:
    """Return a number where there is one alone, else texts in the reader's language."""
    if len(values) == 1 and (number := _number(values[0])) is not None:
        return number
    spoken = [each for each in values if isinstance(each, Literal) and each.language]
    best = text_in(spoken, language)
    kept = [each for each in values if each not in spoken or each == best]
    return BETWEEN.join(sorted(_written(each, named) for each in kept))


def _number(value: Term) -> float | None:
    numeric = isinstance(value, Literal) and value.datatype.value.rpartition("#")[2] in (
        "integer",
        "decimal",
    )
    return float(value.value) if numeric and isinstance(value, Literal) else None


def _written(value: Term, named: Mapping[str, Literal | None]) -> str:
    text = str(getattr(value, "value", value))
    label = named.get(text) if isinstance(value, NamedNode) else None
    return label.value if label else text


def _chunks(iris: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(iris), CHUNK):
        yield iris[first : first + CHUNK]
