"""Tables: entities as rows, their properties as columns, for those who work in a spreadsheet."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.rdf.terms import Term, text_in
from thc_graph.schema.model import PropertyShape, Schema
from thc_graph.store.queries import Reader

CHUNK: Final = 500  # entities read at once: an answer of the store has a size limit
BETWEEN: Final = " | "  # values of one cell, as coordinators write them


@dataclass(frozen=True)
class Table:
    """`columns` are headings; a cell is a text or a number."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]


async def table(
    reader: Reader, classes: Sequence[NamedNode], iris: Sequence[str], language: str
) -> Table:
    """Return the table of some entities: the IRI, then each property of their classes."""
    shapes = columns(reader.schema, classes)
    headings = ("IRI", *(shape.name.in_(language) for shape in shapes.values()))
    rows: list[tuple[str | float, ...]] = []
    for chunk in _chunks(iris):
        found = await _cells(reader, chunk, list(shapes))
        rows.extend(_row(iri, shapes, found.get(iri, {}), language) for iri in chunk)
    return Table(headings, tuple(rows))


async def facts(reader: Reader, iris: Sequence[str]) -> AsyncIterator[list[Triple]]:
    """Yield what is published about some entities, some of them at a time."""
    for chunk in _chunks(iris):
        yield await reader.graph("list/facts", entity=[NamedNode(each) for each in chunk])


def columns(schema: Schema, classes: Sequence[NamedNode]) -> dict[NamedNode, PropertyShape]:
    """Return the properties that entities of some classes can have, in page order."""
    found: dict[NamedNode, PropertyShape] = {}
    for shape in (shape for class_ in classes for shape in schema.properties_of(class_)):
        if len(shape.path) == 1 and not shape.path[0].inverse:
            found.setdefault(shape.predicate, shape)
    return found


Cells = Mapping[NamedNode, Mapping[Term, list[Literal]]]  # property → value → its labels


async def _cells(
    reader: Reader, iris: Sequence[str], properties: Sequence[NamedNode]
) -> dict[str, dict[NamedNode, dict[Term, list[Literal]]]]:
    found: dict[str, dict[NamedNode, dict[Term, list[Literal]]]]
    found = defaultdict(lambda: defaultdict(dict))
    entities = [NamedNode(each) for each in iris]
    for row in await reader.bindings("list/summaries", entity=entities, property=list(properties)):
        entity, property_, label = row["entity"], row["property"], row.get("label")
        if isinstance(entity, NamedNode) and isinstance(property_, NamedNode):
            labels = found[entity.value][property_].setdefault(row["value"], [])
            labels.extend([label] if isinstance(label, Literal) else [])
    return found


def _row(
    iri: str, shapes: Mapping[NamedNode, PropertyShape], cells: Cells, language: str
) -> tuple[str | float, ...]:
    return (iri, *(_cell(cells.get(each, {}), language) for each in shapes))


def _cell(values: Mapping[Term, list[Literal]], language: str) -> str | float:
    """Return a number where there is one alone, else texts in the reader's language."""
    if len(values) == 1 and (number := _number(next(iter(values)))) is not None:
        return number
    spoken = [each for each in values if isinstance(each, Literal) and each.language]
    best = text_in(spoken, language)
    kept = [each for each in values if each not in spoken or each == best]
    return BETWEEN.join(sorted(_written(each, values[each], language) for each in kept))


def _number(value: Term) -> float | None:
    numeric = isinstance(value, Literal) and value.datatype.value.rpartition("#")[2] in (
        "integer",
        "decimal",
    )
    return float(value.value) if numeric and isinstance(value, Literal) else None


def _written(value: Term, labels: Sequence[Literal], language: str) -> str:
    label = text_in(labels, language)
    return label.value if label else str(getattr(value, "value", value))


def _chunks(iris: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(iris), CHUNK):
        yield iris[first : first + CHUNK]
