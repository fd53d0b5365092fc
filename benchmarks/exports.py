"""Exports: what a store publishes, as a file that other servers read."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyoxigraph import DefaultGraph, RdfFormat, Store

from thc_graph.store.snapshots import snapshot as snapshots

TYPE: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
CODE: Final = re.compile(rf"<([^>]*)/id/commune/(\w+)> <{re.escape(TYPE)}>")


@dataclass(frozen=True)
class Export:
    """The default graph of a snapshot as N-Triples, and the communes it speaks of."""

    path: Path
    triples: int
    base: str
    codes: tuple[str, ...]


def export(root: Path, path: Path) -> Export:
    snapshot = snapshots.current(root)
    Store.read_only(str(snapshot.quads)).dump(
        str(path), RdfFormat.N_TRIPLES, from_graph=DefaultGraph()
    )
    found = _described(path)
    if not found.codes:
        sys.exit(f"{root} holds no commune: make it with `thc-graph init`.")
    return found


def _described(path: Path) -> Export:
    codes, base, triples = set(), "", 0
    for line in lines(path):
        triples += 1
        if found := CODE.match(line):
            base = found[1]
            codes.add(found[2])
    return Export(path, triples, base, tuple(sorted(codes)))


def lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from file


def part(whole: Export, region: str, path: Path) -> Export:
    """Write the export without the communes of other régions and what speaks of them."""
    commune = re.compile(rf"<{re.escape(whole.base)}/id/commune/\w+>")
    inside = f" <https://w3id.org/thc/ns#region> <{whole.base}/id/region/{region}> "
    kept = {line.split(" ", 1)[0] for line in lines(whole.path) if inside in line}
    left = {
        line.split(" ", 1)[0]
        for line in lines(whole.path)
        if not kept.issuperset(commune.findall(line))
    } - kept
    with path.open("w", encoding="utf-8") as file:
        file.writelines(line for line in lines(whole.path) if line.split(" ", 1)[0] not in left)
    return _described(path)
