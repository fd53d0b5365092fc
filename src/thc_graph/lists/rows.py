"""Rows: what a list tells of each entity beside its name."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final

from pyoxigraph import Literal, NamedNode

from thc_graph.rdf.terms import DASH, DCT, SKOS, A, Term, text_in
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape
from thc_graph.store.library import Reader

DESCRIPTION, CODE, KEY = (DASH[f"{role}Role"] for role in ("Description", "ID", "KeyInfo"))
TOLD: Final = frozenset((DESCRIPTION, CODE, KEY))  # what a row says beside the name


@dataclass(frozen=True)
class Fact:
    """One thing a row says beside the name; `label` names the value where it is an IRI."""

    name: str
    role: NamedNode | None
    value: Term
    label: Literal | None

    @property
    def is_code(self) -> bool:
        return self.role == CODE


@dataclass(frozen=True)
class Row:
    iri: NamedNode
    label: Literal | None
    summary: tuple[Fact, ...] = ()

    @property
    def descriptions(self) -> tuple[Fact, ...]:
        return tuple(fact for fact in self.summary if fact.role == DESCRIPTION)

    @property
    def keys(self) -> list[tuple[str, list[Fact]]]:
        """What it says in few words, under the name of each property."""
        others = (fact for fact in self.summary if fact.role != DESCRIPTION)
        return [(name, list(facts)) for name, facts in groupby(others, attrgetter("name"))]


async def summaries(
    reader: Reader, classes: Sequence[NamedNode], rows: Sequence[Row], language: str
) -> Iterable[Row]:
    told = _told(reader.schema, classes)
    if not rows or not told:
        return rows
    found: dict[tuple[Term, Term], dict[Term, list[Literal]]] = defaultdict(dict)
    entities = [row.iri for row in rows]
    for row in await reader.bindings("list/summaries", entity=entities, property=list(told)):
        labels = found[row["entity"], row["property"]].setdefault(row["value"], [])
        labels.extend(each for each in (row.get("label"),) if isinstance(each, Literal))

    def facts(iri: NamedNode) -> Iterable[Fact]:
        for predicate, shape in told.items():
            values = found.get((iri, predicate), {})
            for value in _spoken(values, language):
                name = shape.name.in_(language)
                yield Fact(name, shape.role, value, text_in(values[value], language))

    return [Row(row.iri, row.label, tuple(facts(row.iri))) for row in rows]


def _spoken(values: Iterable[Term], language: str) -> list[Term]:
    """Return the values, of a text only the one best read in this language."""
    texts = [each for each in values if isinstance(each, Literal) and each.language]
    others = [each for each in values if each not in texts]
    best = text_in(texts, language)
    return sorted([*others, *([best] if best else [])], key=str)


def _told(schema: Schema, classes: Sequence[NamedNode]) -> dict[NamedNode, PropertyShape]:
    shapes = (shape for iri in classes for shape in schema.properties_of(iri))
    found: dict[NamedNode, PropertyShape] = {}
    for shape in shapes:
        told = shape.role in TOLD and shape.predicate != A  # the list itself says the class
        if told and len(shape.path) == 1 and not shape.path[0].inverse:
            found.setdefault(shape.predicate, shape)
    if classes == (SKOS["ConceptScheme"],):
        found[DCT["description"]] = _DESCRIPTION
    return found


_DESCRIPTION = PropertyShape(iri=DCT["description"], path=(), role=DESCRIPTION)
