"""The atlas: how many things of a kind stand in each département, and where each stands."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal, NamedNode

from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import NodeShape
from thc_graph.store.library import Reader
from thc_graph.store.snapshots.artefacts import Index

DEPARTEMENT: Final = "departement"
PLACED: Final = "territoire"  # the facet of what stands somewhere
MOST: Final = 200  # départements
SPOTTED: Final = 1_000  # things shown at their place
NAMED: Final = 5  # things named at one place


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


@dataclass(frozen=True)
class Spot:
    """A place that has a point (latitude, longitude), and the first things of `count` there."""

    iri: str
    label: Literal | None
    point: tuple[float, float]
    count: int
    things: tuple[tuple[str, Literal | None], ...]


@dataclass(frozen=True)
class Spots:
    """Where the first `SPOTTED` of `total` things stand; `placed` of them at a known point."""

    total: int
    placed: int
    spots: tuple[Spot, ...]


def kinds(schema: Schema) -> dict[str, NodeShape]:
    """Return the kinds of things that stand somewhere, by the shape that names them."""
    return {
        shape.kind: shape
        for shape in schema.listed()
        if shape.kind and shape.target and _is_placed(schema, shape.target)
    }


def _is_placed(schema: Schema, class_: NamedNode) -> bool:
    return any(each.slug == PLACED for each in schema.facets_of(class_))


def first(index: Index, kinds: Iterable[str]) -> str | None:
    """Return the first of some kinds of which something stands in a département."""
    return next((each for each in kinds if drawn(index, each, "fr").most), None)


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


def spotted(index: Index, kind: str, language: str) -> Spots:
    """Return the places of a kind of things, those that hold the most first."""
    total, iris = index.select(index.listed(kind, (), {}), f"order_{language}", 0, SPOTTED)
    things = index.places(iris, language)
    at = defaultdict(list)
    for iri in filter(things.__contains__, iris):
        for place in things[iri].at or (iri,):
            at[place].append(iri)
    places = things | index.places([each for each in at if each not in things], language)
    spots = [
        Spot(
            iri,
            places[iri].label,
            places[iri].point,
            len(held),
            tuple((each, things[each].label) for each in held[:NAMED]),
        )
        for iri, held in at.items()
        if iri in places and places[iri].point
    ]
    placed = len({each for spot in spots for each in at[spot.iri]})
    ordered = sorted(spots, key=lambda spot: (-spot.count, spot.label.value if spot.label else ""))
    return Spots(total, placed, tuple(ordered))


def query_of(reader: Reader, kind: str) -> str:
    """Return the SPARQL query that counts what the map shows."""
    schema = reader.schema
    classes = [iri for iri in schema.classes if schema.kind_of(iri) == kind]
    return reader.library.fill("map/by-departement", classe=classes)
