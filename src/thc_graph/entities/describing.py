"""Describing: what a page and every RDF format tell of one thing.

A page is arranged by the shapes of the entity's classes; facts that no shape names
come last, and none is left out. What comes along with its type (a territory's
authority, its adhesions) is told in full, as a companion.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final, cast

from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.entities.model import Citation, Entity, Field, Value
from thc_graph.entities.view import NAMING, View, index
from thc_graph.rdf.terms import DCT, A, Term
from thc_graph.store.library import Reader

FEW: Final = 20  # entities that point here and are all named on the page; more are counted only
NAMED: Final = 20_000  # things whose names are kept for a snapshot
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


async def describe(
    reader: Reader,
    iri: NamedNode,
    told: Sequence[Triple],
    citations: Sequence[Citation],
    language: str,
) -> Entity:
    """Return the page of an entity of which these facts are told, and to which these point."""
    properties = (each.property for each in citations)
    names, cited = await asyncio.gather(
        labels(reader, unnamed([*_terms(told), *properties], told)),
        _cited(reader, iri, citations),
    )
    citing = (node for nodes in cited.values() for node in nodes)
    more = await labels(reader, unnamed(citing, [*told, *names]))
    view = View(reader.schema, index([*told, *names, *more]), language)
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
    names = await labels(reader, unnamed(_terms(told), told))
    return View(reader.schema, index([*told, *names]), language).entity(iri)


async def record(
    reader: Reader, iri: NamedNode, told: Sequence[Triple], language: str
) -> list[Field]:
    """Return all facts of an entity, each once, in the order of its page; names and types too."""
    names = await labels(reader, unnamed(_terms(told), told))
    view = View(reader.schema, index([*told, *names]), language)
    return list(view.record(iri))


async def named(reader: Reader, nodes: list[NamedNode], language: str) -> list[Value]:
    """Return some nodes with their names, in the order given."""
    view = View(reader.schema, index(await labels(reader, nodes)), language)
    return [view.value(each) for each in nodes]


async def incoming(reader: Reader, iri: NamedNode) -> list[Triple]:
    """Return the statements that point at an entity, the first of them where they are many."""
    return await reader.graph("entity/incoming", entity=iri)


async def triples(
    reader: Reader, told: Sequence[Triple], incoming: Sequence[Triple]
) -> tuple[list[Triple], bool]:
    """Return what every RDF format of an entity carries, and whether that is not everything.

    Its facts and those of its companions, the links towards it, and the names of
    everything these speak of. Links are cut.
    """
    found = sorted(incoming, key=_statement)
    kept, is_cut = found[:INCOMING], len(found) > INCOMING
    names = await labels(reader, unnamed(_terms([*told, *kept]), told))
    return sorted({*told, *kept, *names}, key=str), is_cut


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
    """Return the names of some nodes, as triples.

    They are kept with the snapshot: pages speak of the same properties, concepts and places.
    """
    kept = await reader.once("labels", _no_names)
    known = {each: kept.get(each) for each in nodes}
    unknown = [each for each, names in known.items() if names is None]
    if unknown:
        found: dict[Term, list[Triple]] = defaultdict(list)
        for triple in await reader.graph("entity/labels", named=unknown):
            found[triple.subject].append(triple)
        fresh = {each: tuple(found[each]) for each in unknown}
        if len(kept) + len(fresh) > NAMED:
            kept.clear()
        kept.update(fresh)
        known |= fresh
    return [triple for names in known.values() for triple in names or ()]


async def _no_names() -> dict[NamedNode, tuple[Triple, ...]]:
    return {}


async def citations(reader: Reader, iri: NamedNode) -> list[Citation]:
    """Return who points here: how many, by property and kind."""
    return [
        Citation(
            cast("NamedNode", row["property"]),
            "",
            cast("Literal", row["kind"]).value,
            int(cast("Literal", row["count"]).value),
        )
        for row in await reader.bindings("entity/citations", entity=iri)
    ]


async def _cited(
    reader: Reader, iri: NamedNode, found: Sequence[Citation]
) -> Mapping[Citation, Sequence[NamedNode]]:
    """Return who they are that point here, where they are few."""
    few = [each for each in found if each.count <= FEW]
    named = await citing(reader, iri, [(each.property, each.kind) for each in few])
    return {each: named.get((each.property, each.kind), ()) for each in found}


async def citing(
    reader: Reader, iri: NamedNode, through: Sequence[tuple[NamedNode, str]]
) -> Mapping[tuple[NamedNode, str], Sequence[NamedNode]]:
    """Return all entities of a kind that point at one through a property, by name."""
    found: dict[tuple[NamedNode, str], list[NamedNode]] = defaultdict(list)
    asked = [(property_, Literal(kind)) for property_, kind in through]
    rows = await reader.bindings("entity/citing", entity=iri, property=asked) if asked else ()
    for row in rows:
        by, kind, node = row["property"], row["kind"], row["citing"]
        if isinstance(by, NamedNode) and isinstance(kind, Literal) and isinstance(node, NamedNode):
            found[by, kind.value].append(node)
    return found


def unnamed(terms: Iterable[Term], told: Iterable[Triple]) -> Iterator[NamedNode]:
    """Yield the nodes among some terms that these facts do not name themselves."""
    named = {triple.subject for triple in told if triple.predicate in NAMING}
    yield from (each for each in terms if isinstance(each, NamedNode) and each not in named)


def _terms(told: Iterable[Triple]) -> Iterator[Term]:
    return chain.from_iterable(told)
