"""Describing: what a page and every RDF format tell of one thing.

A page is arranged by the shapes of the entity's classes; facts that no shape names
come last, and none is left out. What comes along with its type (a territory's
authority, its adhesions) is told in full, as a companion.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, cast

from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.entities.model import Citation, Entity, Field, Value
from thc_graph.entities.view import View, index
from thc_graph.rdf.terms import DCT, A
from thc_graph.store.queries import Reader

FEW: Final = 20  # entities that point here and are all named on the page; more are counted only
INCOMING: Final = 1000  # statements that point here in an RDF format; the query gives one more


async def facts(reader: Reader, iri: NamedNode) -> list[Triple]:
    """Return what is published about an entity and its companions, empty where nothing is."""
    found = await reader.graph(_query_name(reader, iri), entity=iri)
    return found if any(triple.subject == iri for triple in found) else []


def replacement(iri: NamedNode, told: Iterable[Triple]) -> NamedNode | None:
    """Return what took the place of a former IRI, None where the IRI has a class of its own."""
    own = [triple for triple in told if triple.subject == iri]
    if any(triple.predicate == A for triple in own):
        return None
    found = [triple.object for triple in own if triple.predicate == DCT["isReplacedBy"]]
    return min((each for each in found if isinstance(each, NamedNode)), key=str, default=None)


async def describe(reader: Reader, iri: NamedNode, told: Sequence[Triple], language: str) -> Entity:
    """Return the page of an entity of which these facts are told."""
    cited = await _citations(reader, iri)
    citing = [node for nodes in cited.values() for node in nodes]
    names = await labels(reader, [*_nodes(told), *(each.property for each in cited), *citing])
    view = View(reader.schema, index([*told, *names]), language)
    companions = {t.subject for t in told if isinstance(t.subject, NamedNode)} - {iri}
    return replace(
        view.entity(iri),
        companions=tuple(view.entity(each) for each in sorted(companions, key=str)),
        incoming=tuple(
            replace(each, name=view.name(each.property), named=view.values(nodes))
            for each, nodes in cited.items()
        ),
    )


async def summary(reader: Reader, iri: NamedNode, language: str) -> Entity | None:
    """Return an entity with its own facts only, None where nothing is published about it."""
    told = await facts(reader, iri)
    if not told:
        return None
    names = await labels(reader, _nodes(told))
    return View(reader.schema, index([*told, *names]), language).entity(iri)


async def record(
    reader: Reader, iri: NamedNode, told: Sequence[Triple], language: str
) -> list[Field]:
    """Return all facts of an entity, each once, in the order of its page; names and types too."""
    view = View(reader.schema, index([*told, *await labels(reader, _nodes(told))]), language)
    return list(view.record(iri))


async def named(reader: Reader, nodes: list[NamedNode], language: str) -> list[Value]:
    """Return some nodes with their names, in the order given."""
    view = View(reader.schema, index(await labels(reader, nodes)), language)
    return [view.value(each) for each in nodes]


async def triples(
    reader: Reader, iri: NamedNode, told: Sequence[Triple]
) -> tuple[list[Triple], bool]:
    """Return what every RDF format of an entity carries, and whether that is not everything.

    Its facts and those of its companions, the links towards it, and the names of
    everything these speak of. Links are cut.
    """
    found = sorted(await reader.graph("entity/incoming", entity=iri), key=_statement)
    incoming, is_cut = found[:INCOMING], len(found) > INCOMING
    names = await labels(reader, _nodes([*told, *incoming]))
    return sorted({*told, *incoming, *names}, key=str), is_cut


def _statement(triple: Triple) -> tuple[str, str]:
    """Order statements that point at one entity as their query does."""
    return triple.predicate.value, getattr(triple.subject, "value", "")


def query_of(reader: Reader, iri: NamedNode) -> str:
    """Return the SPARQL text of an entity's facts, for those who want to change it."""
    return reader.library.fill(_query_name(reader, iri), entity=iri)


def _query_name(reader: Reader, iri: NamedNode) -> str:
    """Return the query of the entity's kind if there is a file for it, else the default."""
    kind = re.search(r"/id/([a-z-]+)/", iri.value)
    own = f"entity/kind/{kind[1]}" if kind else ""
    return own if own in reader.library else "entity/default"


async def labels(reader: Reader, nodes: Iterable[NamedNode]) -> list[Triple]:
    """Return the names of some nodes, as triples."""
    named = sorted(set(nodes), key=str)
    return await reader.graph("entity/labels", named=named) if named else []


async def _citations(reader: Reader, iri: NamedNode) -> dict[Citation, list[NamedNode]]:
    """Return who points here, by property and kind; who they are, where they are few."""
    found = [
        Citation(
            cast("NamedNode", row["property"]),
            "",
            cast("Literal", row["kind"]).value,
            int(cast("Literal", row["count"]).value),
        )
        for row in await reader.bindings("entity/citations", entity=iri)
    ]
    few = [each for each in found if each.count <= FEW]
    named = await asyncio.gather(*(citing(reader, iri, each.property, each.kind) for each in few))
    return {each: list[NamedNode]() for each in found} | dict(zip(few, named, strict=True))


async def citing(
    reader: Reader, iri: NamedNode, property_: NamedNode, kind: str
) -> list[NamedNode]:
    """Return all entities of a kind that point at one through a property, by name."""
    rows = await reader.bindings(
        "entity/citing", entity=iri, property=property_, kind=Literal(kind)
    )
    return [each for row in rows if isinstance(each := row["citing"], NamedNode)]


def _nodes(told: Iterable[Triple]) -> Iterator[NamedNode]:
    yield from (term for triple in told for term in triple if isinstance(term, NamedNode))
