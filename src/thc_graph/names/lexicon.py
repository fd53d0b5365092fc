"""The lexicon: every published thing under the words that cells may call it by.

It is made beside a snapshot's quads as that snapshot is published, so that an import of a
few rows looks up a few words instead of reading a hundred thousand. It stands in segments:
the first holds all names, each other one the things that later publications touched, as
they are since. One that is no longer of any type has none there.
"""

import csv
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache, partial
from io import StringIO
from pathlib import Path
from sqlite3 import Connection
from typing import Final, NamedTuple

from pyoxigraph import NamedNode, QueryResultsFormat, QuerySolutions, Store

from thc_graph.names.words import folded
from thc_graph.rdf.terms import SKOS
from thc_graph.store import segments
from thc_graph.store.library import Library
from thc_graph.store.snapshots.draft import Draft
from thc_graph.store.snapshots.snapshot import Snapshot

FOLDER: Final = "names-2"  # another number where these tables or the folding change
LARGE: Final = 20_000  # touched entities from which all is made anew
PAGE, SMALL = 4096, 512  # bytes of a page: of all names, of those of a few things
_SCHEME: Final = SKOS["ConceptScheme"].value
_TABLES: Final = """
CREATE TABLE thing (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE, types TEXT, label TEXT);
CREATE TABLE name (word TEXT, thing INTEGER, PRIMARY KEY (word, thing)) WITHOUT ROWID;
CREATE INDEX of_thing ON name (thing);
"""
_ADD: Final = (
    """
    DELETE FROM main.name WHERE thing IN
    (SELECT here.id FROM main.thing AS here JOIN other.thing USING (iri))
    """,
    "DELETE FROM main.thing WHERE iri IN (SELECT iri FROM other.thing)",
    "INSERT INTO main.thing SELECT id + :last, iri, types, label FROM other.thing",
    "INSERT INTO main.name SELECT word, thing + :last FROM other.name",
)

Types = frozenset[NamedNode]


class Thing(NamedTuple):
    """What is known of one published thing; its label is the name of the lowest rank."""

    types: Types
    label: str | None


class Lexicon:
    """The names of one state of the store; only read once it is made.

    `newer` are tables of the things that changed since, each in place of what `tables`
    say of it.
    """

    def __init__(self, tables: Connection, newer: Connection | None = None) -> None:
        self.parts = [(newer, frozenset[str]())] if newer else []
        changed = _rows(newer, "SELECT iri FROM thing") if newer else ()
        self.parts.append((tables, frozenset(iri for (iri,) in changed)))

    def thing(self, iri: NamedNode) -> Thing | None:
        for tables, _ in self.parts:
            for types, label in _rows(tables, "SELECT types, label FROM thing WHERE iri = ?", iri):
                return Thing(_types(types), label) if types else None
        return None

    def called(self, word: str) -> set[NamedNode]:
        """Return the things that bear a folded name."""
        text = "SELECT iri FROM name JOIN thing ON thing = id WHERE word = ?"
        return {
            NamedNode(iri)
            for tables, changed in self.parts
            for (iri,) in _rows(tables, text, word)
            if iri not in changed
        }

    def of(self, expected: Types) -> Iterator[NamedNode]:
        """Yield the things of one of some types."""
        for (iri,) in self._each("SELECT iri FROM thing WHERE types = ?", expected):
            yield NamedNode(iri)

    def words(self, expected: Types) -> Iterator[tuple[str, NamedNode]]:
        """Yield the folded names of the things of one of some types."""
        text = "SELECT iri, word FROM thing JOIN name ON thing = id WHERE types = ?"
        for iri, word in self._each(text, expected):
            yield word, NamedNode(iri)

    def _each(self, text: str, expected: Types) -> Iterator[tuple[str, ...]]:
        """Yield the rows that a text gives of each kind; they begin with an IRI."""
        for tables, changed in self.parts:
            for types in _kinds(tables, expected):
                yield from (row for row in _rows(tables, text, types) if row[0] not in changed)


def _kinds(tables: Connection, expected: Types) -> list[str]:
    kinds = (types for (types,) in _rows(tables, "SELECT DISTINCT types FROM thing") if types)
    return [each for each in kinds if not expected or not expected.isdisjoint(_types(each))]


def _rows(tables: Connection, text: str, *values: str | NamedNode) -> list[tuple[str, ...]]:
    said = [each.value if isinstance(each, NamedNode) else each for each in values]
    return tables.execute(text, said).fetchall()


@lru_cache(maxsize=1 << 10)
def _types(text: str) -> Types:
    return frozenset(map(NamedNode, text.split()))


@dataclass(frozen=True)
class NameFile:
    """An artefact of each snapshot: handed to whoever publishes."""

    library: Library

    def __call__(self, draft: Draft) -> None:
        """Bring the names in step with a draft: of what it touches, or of everything."""
        folder, touched = draft.folder / FOLDER, draft.touched
        former = draft.previous.path / FOLDER if draft.previous else None
        if former is None or not segments.listed(former) or len(touched) > LARGE:
            segments.alone(folder, partial(_write_whole, draft.store, self.library))
            return
        write = partial(_write_changes, draft.store, self.library, touched)
        segments.extend(folder, former, len(touched), write)


def of_snapshot(snapshot: Snapshot | None, library: Library) -> Lexicon:
    """Return the names of what is published; a snapshot that has none gets them now."""
    if snapshot is None:
        return of_store(Store(), library)
    folder = snapshot.path / FOLDER
    if not segments.listed(folder):
        draft = folder.with_name(f".{FOLDER}-{os.getpid()}")
        try:
            segments.alone(draft, partial(_write_whole, snapshot.store(), library))
            draft.rename(folder)
        except (OSError, sqlite3.OperationalError):  # nothing may be written here
            return of_store(snapshot.store(), library)
    first, *others = (_uri(each.path) for each in segments.listed(folder))
    return Lexicon(sqlite3.connect(first, uri=True), _together(others) if others else None)


def of_store(store: Store, library: Library) -> Lexicon:
    """Return the names of what stands in a store's default graph, as it is now."""
    tables = _made(None)
    with tables:
        _learn(tables, store, library)
    return Lexicon(tables)


def _together(changes: Iterable[str]) -> Connection:
    """Return one table of some segments, in memory: a word is then looked up once."""
    tables = _made(None)
    for each in changes:
        _add(tables, each)
    return tables


def _write_whole(store: Store, library: Library, path: Path) -> int:
    """Write the names of everything, and return of how many things."""
    tables = _made(path)
    with closing(tables), tables:
        _learn(tables, store, library)
        (count,) = tables.execute("SELECT count(*) FROM thing").fetchone()
    return int(count)


def _write_changes(
    store: Store, library: Library, touched: Iterable[NamedNode], path: Path, merged: list[Path]
) -> None:
    """Write what some segments say, but of what a draft touches what that says."""
    if merged:
        shutil.copyfile(merged[0], path)
    with closing(_opened(path) if merged else _made(path, SMALL)) as tables:
        for each in merged[1:]:
            _add(tables, _uri(each))
        with tables:
            _forget(tables, touched)
            _learn(tables, store, library, touched)
            if segments.is_first(path):  # nothing stands below that it would have to hide
                tables.execute("DELETE FROM thing WHERE types IS NULL")


def _made(path: Path | None, page: int = PAGE) -> Connection:
    tables = _opened(path)
    tables.execute(f"PRAGMA page_size = {page}")
    tables.executescript(_TABLES)
    return tables


def _opened(path: Path | None) -> Connection:
    """Open a file that nobody reads yet and that is thrown away if its writer dies."""
    tables = sqlite3.connect(path.absolute().as_uri() if path else ":memory:", uri=True)
    tables.execute("PRAGMA journal_mode = OFF")
    return tables


def _uri(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro&immutable=1"


def _add(tables: Connection, segment: str) -> None:
    """Put what a segment says in the place of what the tables say of the same things."""
    tables.execute("ATTACH ? AS other", (segment,))
    with tables:
        (last,) = tables.execute("SELECT coalesce(max(id), 0) FROM main.thing").fetchone()
        for text in _ADD:
            tables.execute(text, {"last": last} if ":last" in text else {})
    tables.execute("DETACH other")


def _forget(tables: Connection, entities: Iterable[NamedNode]) -> None:
    iris = [(each.value,) for each in entities]
    tables.executemany("DELETE FROM name WHERE thing = (SELECT id FROM thing WHERE iri = ?)", iris)
    tables.executemany("DELETE FROM thing WHERE iri = ?", iris)


def _learn(
    tables: Connection,
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
    gone = {each.value for each in entities or ()} - types.keys()
    numbers = _numbers(tables, [*types, *gone])
    tables.executemany(
        "INSERT INTO thing VALUES (?, ?, ?, ?)",
        (
            (numbers[entity], entity, " ".join(sorted(said)), labels.get(entity, (0, None))[1])
            for entity, said in types.items()
        ),
    )
    tables.executemany(
        "INSERT INTO thing VALUES (?, ?, NULL, NULL)", ((numbers[each], each) for each in gone)
    )
    rows = sorted((word, numbers[entity]) for word, entity in names)
    tables.executemany("INSERT INTO name VALUES (?, ?)", rows)


def _numbers(tables: Connection, entities: Iterable[str]) -> dict[str, int]:
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
