"""Kinds: what has a list, the classes and the facets of each, and how many entities."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from pyoxigraph import Literal, NamedNode

from thc_graph.rdf.terms import SKOS, THC
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import NodeShape, PropertyShape, Text
from thc_graph.store.library import Reader

VOCABULARIES: Final = "voc"  # the list of the concept schemes
BY_NAME: Final = "nom"


@dataclass(frozen=True)
class Count:
    kind: str
    name: Text
    total: int


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
    return schema.by_kind.get(kind)


def _known(schema: Schema) -> list[NamedNode]:
    targets = (shape.target for shape in schema.shapes.values())
    return list(dict.fromkeys([*schema.classes, *(each for each in targets if each)]))


def facets_of(schema: Schema, classes: Iterable[NamedNode]) -> dict[str, PropertyShape]:
    """Return the properties by which a list of these classes is narrowed, by their slugs."""
    found: dict[str, PropertyShape] = {}
    for class_ in classes:
        for shape in schema.facets_of(class_):
            found.setdefault(shape.slug, shape)
    return found


def orders(schema: Schema, classes: Iterable[NamedNode]) -> tuple[str, ...]:
    """Return the orders a list of these classes can have."""
    shapes = [shape for each in classes for shape in schema.properties_of(each)]
    has = {
        "population": any(shape.path and shape.predicate == THC["population"] for shape in shapes),
        "date": any(shape.facet and shape.is_date for shape in shapes),
    }
    return (BY_NAME, *(order for order, there in has.items() if there))
