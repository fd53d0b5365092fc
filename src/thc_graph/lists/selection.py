"""Selection: which entities a list has, by the index and by the query shown on its page."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pyoxigraph import Literal

from thc_graph.lists.addresses import Asked, Value
from thc_graph.lists.kinds import BY_NAME, classes_of, facets_of
from thc_graph.rdf.terms import THC, XSD
from thc_graph.store.library import Filling, Reader
from thc_graph.store.snapshots.artefacts import Index

MOST: Final = 100_000  # entities of an export
ORDERS: Final = {  # what the address says → field of the index, and whether the largest is first
    BY_NAME: ("order", False),
    "population": ("population", True),
    "date": ("date", True),
}


def select(
    index: Index, asked: Asked, language: str, offset: int = 0, limit: int = MOST
) -> tuple[int, list[str]]:
    """Return how many entities a list has, and the IRIs of some, in its order."""
    name, descending = _field(asked, language)
    query = narrowed(index, asked, asked.filters)
    return index.select(query, name, offset, limit, descending=descending)


def _field(asked: Asked, language: str) -> tuple[str, bool]:
    name, descending = ORDERS[asked.order]
    return (f"{name}_{language}" if asked.order == BY_NAME else name), descending


def narrowed(index: Index, asked: Asked, filters: Mapping[str, Iterable[Value]]) -> Any:
    written = {slug: [str(value) for value in values] for slug, values in filters.items()}
    return index.listed(asked.kind, index.words(asked.text), written)


def query_of(reader: Reader, index: Index, asked: Asked) -> str:
    """Return the SPARQL query whose entities are those of the list, all pages together."""
    classes = classes_of(reader.schema, asked.kind)
    told: dict[str, Filling] = {
        "class": classes,
        "says": reader.schema.texts,
        "pattern": [Literal(each) for each in index.patterns(asked.text)],
    }
    if not asked.filters:
        return reader.library.fill("list/entities", **told)
    shapes = facets_of(reader.schema, classes)
    rows = [
        (
            Literal(slug),
            shapes[slug].predicate,
            shapes[slug].facet_along or THC["facetAlong"],
            value,
        )
        for slug, values in asked.filters.items()
        for value in values
    ]
    return reader.library.fill(
        "list/narrowed",
        **told,
        facet=rows,
        facets=Literal(str(len(asked.filters)), datatype=XSD["integer"]),
    )
