"""Facets: by what a list can be narrowed, and how many entities each value would leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from thc_graph.lists.addresses import Asked, Value, token_of
from thc_graph.lists.kinds import classes_of, facets_of
from thc_graph.lists.selection import narrowed
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape, Text
from thc_graph.store.snapshots.artefacts import Index

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
    """`more` tells that there are values that are not among the choices shown."""

    slug: str
    name: Text
    choices: tuple[Choice, ...]
    more: bool = False

    @property
    def active(self) -> tuple[Choice, ...]:
        return tuple(each for each in self.choices if each.active)


Counts = Mapping[str, int]  # of entities, by value; the most frequent first


def whole(schema: Schema, index: Index, kind: str) -> dict[str, Counts]:
    """Return what each facet of a list counts while nothing narrows it."""
    found = index.listed(kind, (), {})
    shapes = facets_of(schema, classes_of(schema, kind))
    return {slug: _most(index, found, shape) for slug, shape in shapes.items()}


def facets(
    schema: Schema,
    index: Index,
    asked: Asked,
    known: Mapping[str, Counts],
    spoken: tuple[str, str],
) -> tuple[Facet, ...]:
    """Return the facets: each counts what its values would find beside the other filters.

    Args:
        schema: Whose shapes say which facets there are.
        index: Counts what is not known.
        asked: What narrows the list.
        known: What `whole` tells of it.
        spoken: The base of IRIs, and the reader's language.
    """
    shapes = facets_of(schema, classes_of(schema, asked.kind))
    counted = {slug: _counts(index, shape, asked, known) for slug, shape in shapes.items()}
    shown = {slug: _shown(shapes[slug], counts, asked) for slug, counts in counted.items()}
    values = {each: term_of(each) for each in chain.from_iterable(shown.values())}
    iris = [value.value for value in values.values() if isinstance(value, NamedNode)]
    labels, base = index.labels(iris, spoken[1]), spoken[0]
    found = []
    for slug, shape in shapes.items():
        active, counts = _active(asked, slug), counted[slug]
        choices = tuple(
            Choice(
                values[each],
                token_of(shape, values[each], base),
                labels.get(values[each].value),
                counts.get(each, 0),
                each in active,
            )
            for each in shown[slug]
        )
        if len(choices) > 1 or active:
            more = any(each not in shown[slug] for each in counts)
            found.append(Facet(slug, shape.name, choices, more))
    return tuple(found)


def _counts(
    index: Index, shape: PropertyShape, asked: Asked, known: Mapping[str, Counts]
) -> Counts:
    """Return what a facet counts: the most frequent values, and those chosen."""
    others = {name: each for name, each in asked.filters.items() if name != shape.slug}
    is_opened, chosen = asked.opened == shape.slug, _active(asked, shape.slug)
    is_whole = not (others or asked.text or is_opened)
    found = narrowed(index, asked, others)
    counts = known[shape.slug] if is_whole else _most(index, found, shape, whole=is_opened)
    missing = chosen.difference(counts)
    return {**counts, **index.values(found, shape.slug, among=missing)} if missing else counts


def _most(index: Index, found: Any, shape: PropertyShape, *, whole: bool = False) -> Counts:
    # Of dates all are counted: their years are few, and come in their own order.
    every = () if whole or shape.is_date else (SHOWN + 1,)
    return index.values(found, shape.slug, *every)


def _shown(shape: PropertyShape, counts: Counts, asked: Asked) -> list[str]:
    """Return the values shown, and those chosen; years begin with the last."""
    ranked = sorted(counts, reverse=True) if shape.is_date else list(counts)
    first = ranked if asked.opened == shape.slug else ranked[:SHOWN]
    return list(dict.fromkeys([*first, *sorted(_active(asked, shape.slug))]))


def _active(asked: Asked, slug: str) -> set[str]:
    return {str(value) for value in asked.filters.get(slug, ())}


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
