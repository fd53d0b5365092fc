"""What a publication, and the first page after it, cost as the history grows.

    python benchmarks/commits.py [--commits 100 1000 10000] [--rounds 20] [--subjects 10]

Each store is given so many commits of some things each, recorded as publications record
them but for the wait for the disk. Then all stores are published to in turn, round after round, so
that a busy machine slows all of them alike. Times are medians, in milliseconds; beside
each stands how many times it is that of the first store.
"""

import argparse
import os
import random
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.cli.app import repository
from thc_graph.instance.settings import Settings, write_settings
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import RDFS
from thc_graph.schema.validation import accept_unchecked
from thc_graph.store.history.by_entity import Touches
from thc_graph.store.writes.repository import Repository

THINGS = 500  # that are changed again and again: the state stays as large as it was
GRAPH = NamedNode(f"{Settings.base}/graph/essai/essai")
FOLLOWED = THINGS  # the number of a thing whose page is asked for
SHOWN = 20  # changes of a page of history


@dataclass
class Store:
    """A store with so many commits, and what was measured on it."""

    commits: int
    found: Repository
    dice: random.Random
    values: dict[int, int] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def change(self, subjects: int) -> ChangeSet:
        removed, added = set(), set()
        for number in self.dice.sample(range(THINGS), subjects):
            if number in self.values:
                removed.add(_fact(number, self.values[number]))
            self.values[number] = self.values.get(number, 0) + 1
            added.add(_fact(number, self.values[number]))
        return ChangeSet(frozenset(removed), frozenset(added))

    def measure(self, subjects: int) -> None:
        change = self.change(subjects)
        with (
            self._timed("publication"),
            self.found.writing() as writer,
            self.found.draft(change) as draft,
        ):
            writer.publish(draft, accept_unchecked(change), "Essai", "Essai")
        snapshot, history = self.found.current(), self.found.history
        assert snapshot is not None
        for name, asked in _PAGES.items():
            with self._timed(name):
                asked(Touches(history, snapshot), _thing(FOLLOWED))

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.times[name].append(1000 * (time.perf_counter() - began))


_PAGES: dict[str, Callable[[Touches, NamedNode], object]] = {
    "page, last change": lambda touches, thing: touches.last(thing),
    "page, history": lambda touches, thing: list(touches.of(thing, SHOWN)),
}


def build(root: Path, commits: int, subjects: int) -> Store:
    write_settings(Settings(root))
    store = Store(commits, repository(Settings(root)), random.Random(commits))
    with patch.object(os, "fsync", lambda _: None):
        for number in range(commits):
            change = store.change(subjects)
            if number % (commits // SHOWN) == 0:  # as often changed, whatever the commits
                change = change.then(ChangeSet(added=frozenset({_fact(FOLLOWED, number)})))
            store.found.history.record(accept_unchecked(change), "Essai", "Essai")
    os.sync()
    with store.found.writing():
        pass  # the snapshot of the last commit
    return store


def _thing(number: int) -> NamedNode:
    return NamedNode(f"{Settings.base}/id/organisation/essai-{number}")


def _fact(number: int, value: int) -> Quad:
    return Quad(_thing(number), RDFS["label"], Literal(f"Essai {value}", language="fr"), GRAPH)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--subjects", type=int, default=10)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="commits-"))
    try:
        stores = [build(folder / str(each), each, asked.subjects) for each in asked.commits]
        for _ in range(asked.rounds + 1):
            for store in stores:
                store.measure(asked.subjects)
    finally:
        shutil.rmtree(folder)
    for name in stores[0].times:
        medians = [statistics.median(store.times[name][1:]) for store in stores]
        told = (f"{each:9.2f} ms x {each / medians[0]:.2f}" for each in medians)
        print(f"{name:18}", *told)


if __name__ == "__main__":
    main()
