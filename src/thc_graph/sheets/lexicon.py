"""The lexicon: every published thing under the words that cells may call it by.

It is a file beside a snapshot's quads, made as that snapshot is published, so that an
import of a few rows looks up a few words instead of reading a hundred thousand.
"""

import csv
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Final, NamedTuple

from pyoxigraph import NamedNode, QueryResultsFormat, QuerySolutions, Store

from thc_graph.rdf.terms import SKOS
from thc_graph.sheets.words import folded
from thc_graph.store.queries import Library
from thc_graph.store.snapshots import Draft, Snapshot

FILE: Final = "names-1.sqlite"  # another number where these tables or the folding change
LARGE: Final = 20_000  # touched entities from which the file is made anew
_SCHEME: Final = SKOS["ConceptScheme"].value
_TABLES: Final = """
CREATE TABLE thing (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE, types TEXT, label TEXT);
CREATE TABLE name (word TEXT, thing INTEGER, PRIMARY KEY (word, thing)) WITHOUT ROWID;
CREATE INDEX of_thing ON name (thing);
"""

Types = frozenset[NamedNode]


class Thing(NamedTuple):
    """What is known of one published thing; its label is the name of the lowest rank."""

    types: Types
    label: str | None


class Lexicon:
    """The names of one state of the store; only read once it is made."""

    def __init__(self, tables: sqlite3.Connection) -> None:
        self.tables = tables

    def thing(self, iri: NamedNode) -> Thing | None:
        found = self._rows("SELECT types, label FROM thing WHERE iri = ?", iri.value)
        return next((Thing(_types(types), label) for types, label in found), None)

    def called(self, word: str) -> set[NamedNode]:
        """Return the things that bear a folded name."""
        text = "SELECT iri FROM name JOIN thing ON thing = id WHERE word = ?"
        return {NamedNode(iri) for (iri,) in self._rows(text, word)}

    def of(self, expected: Types) -> Iterator[NamedNode]:
        """Yield the things of one of some types."""
        for types in self._kinds(expected):
            for (iri,) in self._rows("SELECT iri FROM thing WHERE types = ?", types):
                yield NamedNode(iri)

    def words(self, expected: Types) -> Iterator[tuple[str, NamedNode]]:
        """Yield the folded names of the things of one of some types."""
        text = "SELECT word, iri FROM thing JOIN name ON thing = id WHERE types = ?"
        for types in self._kinds(expected):
            for word, iri in self._rows(text, types):
                yield word, NamedNode(iri)

    def _kinds(self, expected: Types) -> list[str]:
        kinds = self._rows("SELECT DISTINCT types FROM thing")
        return [
            types for (types,) in kinds if not expected or not expected.isdisjoint(_types(types))
        ]

    def _rows(self, text: str, *values: str) -> list[tuple[str, ...]]:
        return self.tables.execute(text, values).fetchall()


@lru_cache(maxsize=1 << 10)
def _types(text: str) -> Types:
    return frozenset(map(NamedNode, text.split()))


@dataclass(frozen=True)
class NameFile:
    """An artefact of each snapshot: handed to whoever publishes."""

    library: Library

    def __call__(self, draft: Draft) -> None:
        """Bring the names in step with a draft: of what it touches, or of everything."""
        path, touched = draft.folder / FILE, draft.touched
        former = draft.previous.path / FILE if draft.previous else None
        if former is None or not former.is_file() or len(touched) > LARGE:
            _made(path, draft.store, self.library).close()
            return
        shutil.copyfile(former, path)
        tables = _opened(path)
        with tables:
            _forget(tables, touched)
            _learn(tables, draft.store, self.library, touched)
        tables.close()


def of_snapshot(snapshot: Snapshot | None, library: Library) -> Lexicon:
    """Return the names of what is published; a snapshot that has no file gets it now."""
    if snapshot is None:
        return of_store(Store(), library)
    path = snapshot.path / FILE
    if not path.is_file():
        draft = path.with_name(f".{FILE}-{os.getpid()}")
        try:
            _made(draft, snapshot.store(), library).close()
            draft.rename(path)
        except (OSError, sqlite3.OperationalError):  # nothing may be written here
            return of_store(snapshot.store(), library)
    return Lexicon(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True))


def of_store(store: Store, library: Library) -> Lexicon:
    """Return the names of what stands in a store's default graph, as it is now."""
    return Lexicon(_made(None, store, library))


def _made(path: Path | None, store: Store, library: Library) -> sqlite3.Connection:
    tables = _opened(path)
    tables.executescript(_TABLES)
    with tables:
        _learn(tables, store, library)
    return tables


def _opened(path: Path | None) -> sqlite3.Connection:
    """Open a file that nobody reads yet and that is thrown away if its writer dies."""
    tables = sqlite3.connect(path or ":memory:")
    tables.execute("PRAGMA journal_mode = OFF")
    return tables


def _forget(tables: sqlite3.Connection, entities: Iterable[NamedNode]) -> None:
    iris = [(each.value,) for each in entities]
    tables.executemany("DELETE FROM name WHERE thing = (SELECT id FROM thing WHERE iri = ?)", iris)
    tables.executemany("DELETE FROM thing WHERE iri = ?", iris)


def _learn(
    tables: sqlite3.Connection,
    store: Store,
    library: Library,
    entities: Iterable[NamedNode] | None = None,
) -> None:
    """Write down the names of some entities, or of all."""
    types: dict[str, set[str]] = {}
    names: set[tuple[str, str]] = set()
    labels: dict[str, tuple[int, str]] = {}
    for entity, type_ in _answer(store, library, "import/types", entities):
        types.setdefault(entity, set()).add(type_)
        if type_ == _SCHEME:
            names.add((folded(entity.rstrip("/").rpartition("/")[2]), entity))
    for entity, name, rank in _answer(store, library, "import/names", entities):
        if entity in types:
            names.add((folded(name), entity))
            found = int(rank), name
            labels[entity] = min(labels.get(entity, found), found)
    numbers = _numbers(tables, types)
    tables.executemany(
        "INSERT INTO thing VALUES (?, ?, ?, ?)",
        (
            (numbers[entity], entity, " ".join(sorted(said)), labels.get(entity, (0, None))[1])
            for entity, said in types.items()
        ),
    )
    rows = sorted((word, numbers[entity]) for word, entity in names)
    tables.executemany("INSERT INTO name VALUES (?, ?)", rows)


def _numbers(tables: sqlite3.Connection, entities: Iterable[str]) -> dict[str, int]:
    (last,) = tables.execute("SELECT coalesce(max(id), 0) FROM thing").fetchone()
    return {entity: number for number, entity in enumerate(entities, last + 1)}


def _answer(
    store: Store, library: Library, name: str, entities: Iterable[NamedNode] | None
) -> Iterator[list[str]]:
    """Yield the rows of an answer; in CSV, which the engine writes fastest."""
    text = library.get(name).text if entities is None else library.fill(name, entity=entities)
    solutions = store.query(text)
    assert isinstance(solutions, QuerySolutions)
    answer = solutions.serialize(format=QueryResultsFormat.CSV)
    assert answer is not None
    rows = csv.reader(StringIO(answer.decode(), newline=""))
    next(rows)
    yield from (row for row in rows if not row[0].startswith("_:"))
