"""The atlas: how many things of a kind stand in each département."""

from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal, NamedNode

from thc_graph.schema.model import NodeShape, Schema
from thc_graph.store.index import Index
from thc_graph.store.queries import Reader

DEPARTEMENT: Final = "departement"
PLACED: Final = "territoire"  # the facet of what stands somewhere
MOST: Final = 200  # départements


@dataclass(frozen=True)
class Place:
    """A département, by its code, and how many things stand in it."""

    iri: NamedNode
    code: str
    label: Literal | None
    count: int


@dataclass(frozen=True)
class Map:
    """`elsewhere` things of the kind stand in no département, or nowhere that is said."""

    kind: str
    total: int
    elsewhere: int
    places: tuple[Place, ...]

    @property
    def most(self) -> int:
        return max((place.count for place in self.places), default=0)


def kinds(schema: Schema) -> dict[str, NodeShape]:
    """Return the kinds of things that stand somewhere, by the shape that names them."""
    return {
        shape.kind: shape
        for shape in schema.listed()
        if shape.kind and shape.target and _is_placed(schema, shape.target)
    }


def _is_placed(schema: Schema, class_: NamedNode) -> bool:
    return any(each.slug == PLACED for each in schema.facets_of(class_))


def drawn(index: Index, kind: str, language: str) -> Map:
    """Return the map of a kind of things, département by département."""
    everything = index.listed(kind, (), {})
    _, iris = index.select(index.listed(DEPARTEMENT, (), {}), "order_fr", 0, MOST)
    labels = index.labels(iris, language)
    nodes = [NamedNode(iri) for iri in iris]
    counts = index.values(everything, PLACED, MOST, among=[str(each) for each in nodes])
    places = [
        Place(
            each,
            each.value.rpartition("/")[2].upper(),
            labels.get(each.value),
            counts.get(str(each), 0),
        )
        for each in nodes
    ]
    total = index.total(everything)
    placed = index.total(index.meeting(everything, PLACED, [str(each) for each in nodes]))
    return Map(kind, total, total - placed, tuple(sorted(places, key=lambda place: place.code)))


def query_of(reader: Reader, kind: str) -> str:
    """Return the SPARQL query that counts what the map shows."""
    schema = reader.schema
    classes = [iri for iri in schema.classes if schema.kind_of(iri) == kind]
    return reader.library.fill("map/by-departement", classe=classes)
