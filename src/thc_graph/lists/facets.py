"""Facets: by what a list can be narrowed, and how many entities each value would leave."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal, NamedNode

from thc_graph.lists.addresses import Asked, Value, token_of
from thc_graph.lists.kinds import classes_of, facets_of
from thc_graph.lists.selection import narrowed
from thc_graph.schema.model import PropertyShape, Schema, Text
from thc_graph.store.index import Index

SHOWN: Final = 12  # values of a facet shown before one asks for all


@dataclass(frozen=True)
class Choice:
    """One value of a facet; `token` stands for it in an address."""

    value: Value
    token: str
    label: Literal | None
    count: int
    active: bool


@dataclass(frozen=True)
class Facet:
    """`hidden` counts the values that are not among the choices shown."""

    slug: str
    name: Text
    choices: tuple[Choice, ...]
    hidden: int = 0

    @property
    def active(self) -> tuple[Choice, ...]:
        return tuple(each for each in self.choices if each.active)


def facets(
    schema: Schema, index: Index, base: str, asked: Asked, language: str
) -> tuple[Facet, ...]:
    """Return the facets: each counts what its values would find beside the other filters."""
    shapes = facets_of(schema, classes_of(schema, asked.kind))
    together = _by_facet(index.counts(narrowed(index, asked, asked.filters)))
    found = []
    for slug, shape in shapes.items():
        counts = together.get(slug, {})
        if slug in asked.filters:
            others = {name: each for name, each in asked.filters.items() if name != slug}
            counts = _by_facet(index.counts(narrowed(index, asked, others))).get(slug, {})
        facet = _facet(index, shape, counts, asked, (base, language))
        if len(facet.choices) > 1 or facet.active:
            found.append(facet)
    return tuple(found)


def _by_facet(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for written, count in counts.items():
        slug, _, value = written.partition(" ")
        found[slug][value] = count
    return found


def _facet(
    index: Index,
    shape: PropertyShape,
    counts: Mapping[str, int],
    asked: Asked,
    spoken: tuple[str, str],
) -> Facet:
    base, language = spoken
    active = {str(value) for value in asked.filters.get(shape.slug, ())}
    # A year is looked for among years; everything else, among what there is most of.
    ranked = (
        sorted(counts, reverse=True)
        if shape.is_date
        else sorted(counts, key=counts.__getitem__, reverse=True)
    )
    shown = ranked if asked.opened == shape.slug else ranked[:SHOWN]
    written = dict.fromkeys([*shown, *sorted(active)])
    values = {each: term_of(each) for each in written}
    labels = index.labels([v.value for v in values.values() if isinstance(v, NamedNode)], language)
    choices = [
        Choice(
            value,
            token_of(shape, value, base),
            labels.get(value.value) if isinstance(value, NamedNode) else None,
            counts.get(each, 0),
            each in active,
        )
        for each, value in values.items()
    ]
    return Facet(shape.slug, shape.name, tuple(choices), len(ranked) - len(shown))


def term_of(written: str) -> Value:
    """Return the term that SPARQL writes so; only what this program wrote is read back."""
    if written.startswith("<"):
        return NamedNode(written[1:-1])
    text, _, datatype = written.rpartition("^^")
    return (
        Literal(text.strip('"'), datatype=NamedNode(datatype[1:-1]))
        if text
        else Literal(written.strip('"'))
    )
