"""How many bytes a publication of one entity writes, by what they are for.

    python benchmarks/written.py --store DIR [--rounds 5]

Works in a copy of the store, which needs as much room. A file that is linked from the
snapshot before is not written. The first round is left out: it may bring an older store up.
"""

import argparse
import shutil
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.cli.app import repository
from thc_graph.instance.settings import read_settings
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import RDFS
from thc_graph.schema.validation import accept_unchecked
from thc_graph.store.writes.repository import Repository


def publish(found: Repository, base: str, number: int) -> Counter[str]:
    """Publish one fact of one entity; return the bytes of the files that are new."""
    before = set(inodes(found.root))
    thing = NamedNode(f"{base}/id/organisation/essai-{number}")
    fact = Quad(
        thing, RDFS["label"], Literal(f"Essai {number}"), NamedNode(f"{base}/graph/essai/x")
    )
    change = ChangeSet(added=frozenset({fact}))
    with found.writing() as writer, found.draft(change) as draft:
        writer.publish(draft, accept_unchecked(change), "Essai", "Essai")
    written = Counter[str]()
    for path in found.root.rglob("*"):
        if path.is_file() and path.stat().st_ino not in before:
            written[purpose(path.relative_to(found.root))] += path.stat().st_size
    return written


def inodes(root: Path) -> Iterator[int]:
    yield from (path.stat().st_ino for path in root.rglob("*") if path.is_file())


def purpose(path: Path) -> str:
    if path.parts[0] != "snapshots":
        return path.parts[0]
    name = path.parts[2]
    return f"quads, {path.suffix or path.name.partition('-')[0]}" if name == "quads" else name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="written-"))
    try:
        root = Path(shutil.copytree(asked.store, folder / "store"))
        settings = replace(read_settings(asked.store), store=root)
        found = replace(repository(settings), follow=None)
        rounds = [publish(found, settings.base, each) for each in range(asked.rounds + 1)][1:]
    finally:
        shutil.rmtree(folder)
    names = sorted({name for each in rounds for name in each})
    median = {name: statistics.median(each[name] for each in rounds) for name in names}
    for name, size in sorted(median.items(), key=lambda pair: -pair[1]):
        print(f"{size:12,.0f}  {name}")
    print(f"{sum(median.values()):12,.0f}  bytes in all")


if __name__ == "__main__":
    main()
