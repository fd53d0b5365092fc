"""Fiction: the demonstration's made-up town, again and again, to fill a store.

What is copied is what the demonstration invents (its town, plan, commitments and their
follow-ups, groups, events, experiences…), and its tools, methods and organisations under
made-up names. Nothing new is said of a real place: each copy stands in a copy of the town.
"""

import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from zlib import crc32

from pyoxigraph import Literal, NamedNode, Quad, Store

from thc_graph.cli.app import repository
from thc_graph.instance.settings import read_settings
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import DCT, LABELS, XSD, Term
from thc_graph.schema.validation import accept_unchecked

INVENTED: Final = re.compile(r"/id/[a-z-]+/.*exemple-")
RENAMED: Final = re.compile(r"/id/(outil|methode|organisation)/")
NAMES: Final = (*LABELS, DCT["title"])
SHEETS: Final = "/graph/demonstration/"
SPREAD: Final = 1500  # days over which the copies' dates lie


def grow(source: Path, target: Path, more: int) -> int:
    """Copy a demonstration store and add so many entities to it; return how many there are.

    They are published as any change is, but not validated: they are copies of what was.
    """
    shutil.copytree(source, target)
    found = repository(read_settings(target))
    snapshot = found.current()
    assert snapshot is not None
    seeds = _seeds(snapshot.store())
    copies = range(1, 1 + max(1, more // len(seeds)))
    change = ChangeSet(added=frozenset(quad for n in copies for quad in _copy(seeds, n)))
    with found.writing() as writer, found.draft(change) as draft:
        writer.publish(draft, accept_unchecked(change), "benchmark", f"{more} copies")
    return len(seeds) * len(copies)


def _seeds(store: Store) -> dict[NamedNode, list[Quad]]:
    """Return what the demonstration's sheets say of each entity worth copying."""
    said: dict[NamedNode, list[Quad]] = defaultdict(list)
    for graph in store.named_graphs():
        if SHEETS in str(graph):
            for quad in store.quads_for_pattern(None, None, None, graph):
                assert isinstance(quad.subject, NamedNode)
                said[quad.subject].append(quad)
    return {entity: quads for entity, quads in said.items() if _is_copied(entity, quads)}


def _is_copied(entity: NamedNode, quads: Iterable[Quad]) -> bool:
    """Tell whether an entity is made up, or will be when its name is."""
    named = (entity, *(quad.object for quad in quads))
    return bool(RENAMED.search(entity.value)) or any(INVENTED.search(str(each)) for each in named)


def _copy(seeds: Mapping[NamedNode, Iterable[Quad]], number: int) -> Iterator[Quad]:
    """Yield copy `number` of the seeds: they point at each other, and their days differ."""
    days = timedelta(number * 7 % SPREAD)
    for quads in seeds.values():
        for quad in quads:
            value = _value(seeds, quad, number, days)
            yield Quad(_named(seeds, quad.subject, number), quad.predicate, value, quad.graph_name)


def _named(seeds: Mapping[NamedNode, object], term: Term, number: int) -> Term:
    return NamedNode(f"{term.value}-{number}") if term in seeds else term


def _value(seeds: Mapping[NamedNode, object], quad: Quad, number: int, days: timedelta) -> Term:
    value = quad.object
    if not isinstance(value, Literal):
        return _named(seeds, value, number)
    if quad.predicate in NAMES:
        real = RENAMED.search(str(quad.subject))
        name = (
            f"Exemple : {real[1]} {crc32(str(quad.subject).encode()) % 997}"
            if real
            else value.value
        )
        return Literal(f"{name} n° {number}", language=value.language)
    if value.datatype == XSD["date"]:
        moved = date.fromisoformat(value.value[:10]) + days
        return Literal(moved.isoformat(), datatype=XSD["date"])
    return value
