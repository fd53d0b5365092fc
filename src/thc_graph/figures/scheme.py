"""The scheme « Démocratie Ouverte » as a tree, with what the graph holds under each concept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pyoxigraph import Literal, NamedNode

from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import NodeShape
from thc_graph.store.library import Reader
from thc_graph.store.snapshots.artefacts import Index

FACET: Final = "rubrique"


@dataclass(frozen=True)
class Concept:
    """A concept; `counts` are of what names it itself, kind by kind, `held` with all below."""

    iri: NamedNode
    label: Literal | None
    counts: Mapping[str, int]
    held: Mapping[str, int]
    narrower: tuple["Concept", ...] = field(default=())

    @property
    def leaves(self) -> int:
        return sum(each.leaves for each in self.narrower) or 1


def kinds(schema: Schema) -> dict[str, NodeShape]:
    """Return the kinds of things that the scheme classifies, by the shape that names them."""
    return {
        shape.kind: shape
        for shape in schema.listed()
        if shape.kind
        and shape.target
        and any(each.slug == FACET for each in schema.facets_of(shape.target))
    }


async def tree(reader: Reader, index: Index, language: str) -> Concept | None:
    """Return the top of the scheme, None where it is not published."""
    rows = await reader.bindings("dashboard/headings")
    holds: dict[NamedNode, list[NamedNode]] = {}
    parents: dict[NamedNode, NamedNode | None] = {}
    for row in rows:
        concept, held, parent = row["rubrique"], row["contenue"], row.get("parent")
        if isinstance(concept, NamedNode) and isinstance(held, NamedNode):
            holds.setdefault(concept, []).append(held)
            parents[concept] = parent if isinstance(parent, NamedNode) else None
    top = next((each for each, parent in parents.items() if parent is None), None)
    if top is None:
        return None
    labels = index.labels([each.value for each in parents], language)
    counted = kinds(reader.schema)

    def count(kind: str, of: Sequence[NamedNode]) -> int:
        return index.total(index.listed(kind, (), {FACET: [str(each) for each in of]}))

    def made(iri: NamedNode) -> Concept:
        below = tuple(made(each) for each, parent in parents.items() if parent == iri)
        return Concept(
            iri,
            labels.get(iri.value),
            {kind: count(kind, [iri]) for kind in counted},
            {kind: count(kind, holds[iri]) for kind in counted},
            below,
        )

    return made(top)
