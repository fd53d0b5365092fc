"""Sources: where each fact of an entity comes from: its dataset, and the row it was read in."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import unquote

from pyoxigraph import Literal, NamedNode

from thc_graph.entities.describing import labels
from thc_graph.entities.model import Value
from thc_graph.entities.view import View, index
from thc_graph.rdf.terms import Term
from thc_graph.store.library import Reader

DERIVED: Final = "derive"  # graphs of what the service itself works out
VOCABULARY: Final = "vocabulaire"
KNOWN: Final = ("licence", "publisher", "edition")


@dataclass(frozen=True)
class Line:
    """A row of a file, as a person sees it; `sheet` is empty for a file of one table."""

    file: Value
    name: str
    sheet: str
    number: str
    date: Literal | None


@dataclass(frozen=True)
class Source:
    """A graph and what is known of its dataset; `kind` is "dataset", "derived" or "vocabulary".

    `lines` are the rows the entity itself was last read in, in files of this dataset.
    """

    graph: NamedNode
    kind: str
    dataset: Value
    licence: Value | None = None
    publisher: Value | None = None
    edition: Value | None = None
    lines: tuple[Line, ...] = ()


Sources = Mapping[tuple[NamedNode, Term], tuple[Source, ...]]  # of each fact, (property, value)


async def sources(reader: Reader, iri: NamedNode, language: str) -> Sources:
    """Return the sources of each fact of an entity; a fact may stand in several graphs."""
    facts, rows = await asyncio.gather(
        reader.bindings("entity/sources", entity=iri), reader.bindings("entity/rows", entity=iri)
    )
    nodes = {term for row in (*facts, *rows) for term in row.values()}
    named = await labels(reader, [each for each in nodes if isinstance(each, NamedNode)])
    view = View(reader.schema, index(named), language)
    lines: dict[Term | None, list[Line]] = defaultdict(list)
    for row in rows:
        lines[row.get("dataset")].append(_line(view, row))
    found: dict[tuple[NamedNode, Term], list[Source]] = defaultdict(list)
    for fact in facts:
        source = _source(view, fact, tuple(lines.get(fact["dataset"], ())))
        told = found[cast("NamedNode", fact["property"]), fact["value"]]
        told.extend([source] if source not in told else [])
    return {fact: tuple(each) for fact, each in found.items()}


def _source(view: View, fact: Mapping[str, Term], lines: tuple[Line, ...]) -> Source:
    graph = cast("NamedNode", fact["graph"])
    name = graph.value.partition("/graph/")[2].partition("/")[0]
    kind = {DERIVED: "derived", VOCABULARY: "vocabulary"}.get(name, "dataset")
    known = {name: view.value(fact[name]) for name in KNOWN if name in fact}
    return Source(graph, kind, view.value(fact["dataset"]), lines=lines, **known)


def _line(view: View, row: Mapping[str, Term]) -> Line:
    place = cast("NamedNode", row["row"]).value.partition("#")[2]
    sheet, _, number = place.rpartition("row=")
    named, day = row.get("name"), row.get("date")
    return Line(
        view.value(row["file"]),
        named.value if isinstance(named, Literal) else "",
        unquote(sheet.rstrip("!")),
        number,
        day if isinstance(day, Literal) else None,
    )
