"""Pages: one page of a list, with its rows and its facets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from pyoxigraph import NamedNode

from thc_graph.lists import facets
from thc_graph.lists.addresses import Asked
from thc_graph.lists.facets import Counts, Facet
from thc_graph.lists.kinds import classes_of, orders
from thc_graph.lists.rows import Row, summaries
from thc_graph.lists.selection import select
from thc_graph.schema.model import Schema
from thc_graph.store.library import Reader
from thc_graph.store.snapshots.artefacts import Index

SIZE: Final = 25  # rows of a page, as of the dashboard


@dataclass(frozen=True)
class ListPage:
    """`total` entities were found of `of`; an empty list has one empty page."""

    asked: Asked
    total: int
    of: int
    rows: tuple[Row, ...]
    pages: int
    facets: tuple[Facet, ...]
    orders: tuple[str, ...]

    @property
    def kind(self) -> str:
        return self.asked.kind

    @property
    def number(self) -> int:
        return self.asked.number


async def page(
    reader: Reader, index: Index, base: str, asked: Asked, language: str = "fr", size: int = SIZE
) -> ListPage | None:
    """Return one page of a list, None where there is no such page."""
    if asked.number < 1:
        return None
    schema, spoken = reader.schema, (base, language)
    count = partial(facets.whole, schema, index, asked.kind)
    known = await reader.once(("facets", asked.kind), partial(reader.aside, count))
    found = await reader.aside(partial(_found, schema, index, asked, known, spoken, size))
    if asked.number > found.pages:
        return None
    classes = classes_of(schema, asked.kind)
    return replace(found, rows=tuple(await summaries(reader, classes, found.rows, language)))


def _found(
    schema: Schema,
    index: Index,
    asked: Asked,
    known: Mapping[str, Counts],
    spoken: tuple[str, str],
    size: int,
) -> ListPage:
    """Return what the index says of a page: all but what its rows tell."""
    total, iris = select(index, asked, spoken[1], (asked.number - 1) * size, size)
    narrowing = facets.facets(schema, index, asked, known, spoken)
    labels = index.labels(iris, spoken[1])
    return ListPage(
        asked,
        total,
        index.total(index.listed(asked.kind, (), {})),
        tuple(Row(NamedNode(iri), labels.get(iri)) for iri in iris),
        max(1, -(-total // size)),
        narrowing,
        orders(schema, classes_of(schema, asked.kind)),
    )
