"""The index: one document an entity, in a folder beside the quads of a snapshot.

The folder's name carries the index's own format and the facets of the schema, so that
an older store, or other shapes, never answer from an index that means something else:
what is missing is built, on opening or at the next publication. A small publication
links the former index's files (they never change) and replaces what it touches.
"""

import gc
import hashlib
import logging
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

import tantivy
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, QuerySolutions, Store, Triple
from tantivy import Occur, Order, Query

from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape
from thc_graph.search.documents import AUTHORITY, Documents, facet_field
from thc_graph.search.summaries import (
    COORDINATES,
    SHOWN,
    Document,
    Place,
    around,
    label_of,
    place_of,
)
from thc_graph.search.words import analyzers, begins, singular, words
from thc_graph.store.library import Library
from thc_graph.store.snapshots import draft as drafts
from thc_graph.store.snapshots.draft import Draft
from thc_graph.store.snapshots.snapshot import Snapshot

FORMAT: Final = 5  # of what the fields hold; another number, another folder
LARGE: Final = 10_000  # changed entities from which a whole index is built sooner
HEAP: Final = 128 << 20  # bytes gathered before a segment is made: fewer are read faster
POSTCODES: Final = 50  # communes that share one at most (there are 46 in 2024)
BUCKETS: Final = 65_000  # facet values counted at most
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Field:
    """A field of every document; `analyzer` is of texts, and `raw` keeps one whole."""

    analyzer: str = "raw"
    stored: bool = False
    fast: bool = False  # can be sorted by and counted
    positions: bool = False


FIELDS: Final = {
    "iri": Field(stored=True, fast=True),
    "kind": Field(stored=True, fast=True),
    "at": Field(stored=True, fast=True),  # the territories an entity names
    "within": Field(stored=True),  # the territories a territory lies in
    "order_fr": Field(fast=True),
    "order_en": Field(fast=True),
    "date": Field(fast=True),
    "label_fr": Field(stored=True),
    "label_en": Field(stored=True),
    "exact": Field(),
    "code": Field(),
    "postcode": Field(stored=True),
    "name": Field("plain", stored=True, positions=True),
    "stem": Field("fr"),
    "words": Field("plain"),
    "text_fr": Field("fr", stored=True, positions=True),
    "text_en": Field("en", stored=True, positions=True),
}
FACET: Final = Field(fast=True)  # each facet has a field of its own: counting one reads no other
SORTED: Final = ("population", "weight")
DAYS: Final = ("ends", "told")  # see `rdf.terms.day_of`
NAME: Final = 300  # characters of an IRI that is remembered as absent
KEPT: Final = 10_000  # documents kept in memory, of those shown


def fields(schema: Schema) -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    shapes = (shape for class_ in schema.classes for shape in schema.facets_of(class_))
    narrowing = dict.fromkeys(sorted(facet_field(shape.slug) for shape in shapes))
    for name, each in {**FIELDS, **dict.fromkeys(narrowing, FACET)}.items():
        kept = "position" if each.positions else "basic"
        builder.add_text_field(name, each.stored, each.fast, each.analyzer, kept)
    for name in SORTED:
        builder.add_unsigned_field(name, fast=True)
    for name in DAYS:
        builder.add_unsigned_field(name, indexed=True, fast=True)
    for name in COORDINATES:
        builder.add_float_field(name, stored=True)
    return builder.build()


def folder_name(schema: Schema) -> str:
    """Return the name of an index's folder: what makes its documents mean what they do."""
    facets = [
        (class_.value, schema.kind_of(class_), shape.slug, shape.predicate, shape.facet_along)
        for class_ in sorted(schema.classes, key=str)
        for shape in schema.facets_of(class_)
    ]
    meant = repr((FORMAT, FIELDS, SORTED, DAYS, COORDINATES, facets, schema.texts))
    return f"index-{hashlib.sha256(meant.encode()).hexdigest()[:12]}"


# Building


@dataclass(frozen=True)
class Indexing:
    """An artefact of each snapshot: handed to whoever publishes."""

    schema: Schema
    library: Library

    def __call__(self, draft: Draft) -> None:
        """Bring the index in step with a draft: what it touches, or everything."""
        name = folder_name(self.schema)
        former = draft.previous.path / name if draft.previous else None
        folder = draft.folder / name
        touched = draft.touched
        if former is None or not former.is_dir() or len(touched) > LARGE:
            build(folder, draft.store, self.schema)
            return
        _link(former, folder)
        again = self._pointing_at(draft.store, touched) | touched
        try:
            _replace(folder, draft.store, self.schema, again)
        except ValueError:  # the former index is harmed
            shutil.rmtree(folder)
            build(folder, draft.store, self.schema)

    def _pointing_at(self, store: Store, touched: Collection[NamedNode]) -> set[NamedNode]:
        along = {AUTHORITY, *(shape.predicate for shape in _along(self.schema))}
        text = self.library.fill("search/touched", changed=list(touched), property=list(along))
        found = cast("QuerySolutions", store.query(text))
        return {each for row in found if isinstance(each := row["entity"], NamedNode)}


def _along(schema: Schema) -> Iterator[PropertyShape]:
    shapes = (shape for class_ in schema.classes for shape in schema.facets_of(class_))
    yield from (shape for shape in shapes if shape.facet_along)


def build(folder: Path | None, store: Store, schema: Schema) -> tantivy.Index:
    """Index everything a store publishes; without a folder, in memory."""
    if folder is not None:
        folder.mkdir()
    index = _open(folder, schema)
    facts = store.quads_for_pattern(None, None, None, DefaultGraph())  # one subject after another
    with _uncollected():
        _write(index, store, schema, groupby(facts, key=attrgetter("subject")))
    return index


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector of cycles from going through what a whole index holds; it makes none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _replace(folder: Path, store: Store, schema: Schema, entities: Iterable[NamedNode]) -> None:
    changed = sorted(entities, key=str)
    described = ((each, drafts.facts(store, [each])) for each in changed)
    _write(_open(folder, schema), store, schema, described, gone=changed)


def _write(
    index: tantivy.Index,
    store: Store,
    schema: Schema,
    entities: Iterable[tuple[Any, Iterable[Triple | Quad]]],
    gone: Iterable[NamedNode] = (),
) -> None:
    writer = index.writer(heap_size=HEAP, num_threads=1)
    for entity in gone:
        writer.delete_documents_by_term("iri", entity.value)
    documents = Documents(schema, partial(_reach, store))
    for entity, facts in entities:
        document = documents.document(entity, facts) if isinstance(entity, NamedNode) else None
        if document is not None:
            document["stem"] = document["name"]
            writer.add_document(tantivy.Document.from_dict(document, index.schema))
    writer.commit()
    writer.wait_merging_threads()


def _reach(store: Store, value: NamedNode, along: NamedNode) -> Iterator[NamedNode]:
    for quad in store.quads_for_pattern(value, along, None, DefaultGraph()):
        if isinstance(quad.object, NamedNode):
            yield quad.object


def _link(former: Path, folder: Path) -> None:
    """Give a folder the files of another; tantivy replaces files and never rewrites one."""
    folder.mkdir()
    for path in former.iterdir():
        if not path.name.endswith(".lock"):
            os.link(path, folder / path.name)


def _open(folder: Path | None, schema: Schema) -> tantivy.Index:
    index = tantivy.Index(fields(schema), path=str(folder) if folder else None)
    for name, analyzer in analyzers().items():
        index.register_tokenizer(name, analyzer)
    return index


# Asking


def open_index(snapshot: Snapshot, schema: Schema) -> "Index":
    """Return the index of a snapshot; one that has none for this schema gets it now."""
    folder = snapshot.path / folder_name(schema)
    if folder.is_dir():
        return _opened(folder, snapshot, schema)
    draft = folder.with_name(f".{folder.name}-{os.getpid()}")
    try:
        build(draft, snapshot.store(), schema)
        draft.rename(folder)
    except OSError:  # nothing may be written here, or another process was first
        shutil.rmtree(draft, ignore_errors=True)
        if not folder.is_dir():
            return Index(build(None, snapshot.store(), schema))
    return _opened(folder, snapshot, schema)


def _opened(folder: Path, snapshot: Snapshot, schema: Schema) -> "Index":
    """Open an index; one that is harmed is left where it is, and another is made in memory."""
    try:
        if os.access(folder, os.W_OK):
            return Index(_open(folder, schema))
        with TemporaryDirectory() as aside:  # its files stay open: the engine wants a lock there
            for path in folder.iterdir():
                (Path(aside) / path.name).symlink_to(path.resolve())
            return Index(_open(Path(aside), schema))
    except ValueError:
        _LOG.warning("The index is harmed: another is made in memory.")
        return Index(build(None, snapshot.store(), schema))


def nothing(schema: Schema) -> "Index":
    """Return an index without documents, for a store that publishes no entity of ours."""
    return Index(_open(None, schema))


class Index:
    """One snapshot's index, read only; every question has a bound of its own."""

    def __init__(self, index: tantivy.Index) -> None:
        self.schema = index.schema
        index.reload()
        self.searcher = index.searcher()
        self.kept: dict[str, Document | None] = {}  # names are asked for again and again

    # For lists

    def words(self, text: str) -> list[str]:
        return words(text)

    def patterns(self, text: str) -> list[str]:
        """Return, for each word, the regular expression of the texts a list finds it in."""
        return [begins(word) for word in words(text)]

    def labels(self, iris: Collection[str], language: str) -> dict[str, Literal | None]:
        found = self._documents(iris)
        return {iri: label_of(each, language) for iri, each in found.items() if each}

    def select(
        self, asked: Query, order: str, offset: int, limit: int, *, descending: bool = False
    ) -> tuple[int, list[str]]:
        """Return how many entities a query finds, and some of them in an order."""
        way = Order.Desc if descending else Order.Asc
        found = self.searcher.search(
            asked,
            limit=min(max(1, limit), self.most),
            order_by_field=order,
            offset=self.start(offset),
            order=way,
        )
        iris = [self.searcher.doc(address)["iri"][0] for _, address in found.hits]
        return count(found), iris

    def start(self, offset: int) -> int:
        """Return where to begin, among what there is: room is made for all that is skipped."""
        return min(max(0, offset), self.searcher.num_docs)

    @property
    def most(self) -> int:
        return max(1, self.searcher.num_docs)

    def listed(
        self, kind: str, begun: Sequence[str], filters: Mapping[str, Collection[str]]
    ) -> Query:
        """Return the query of a list: each word begins one of its words; each facet is met.

        Args:
            kind: The kind of the list.
            begun: Folded words.
            filters: For each facet, the values (as SPARQL writes them) of which one is wanted.
        """
        asked = both(self.term("kind", kind), *(self._begun(word) for word in begun))
        for facet, values in filters.items():
            asked = self.meeting(asked, facet, values)
        return asked

    def _begun(self, word: str) -> Query:
        one = singular(word)
        exactly = [self.term("words", one)] if one else []
        return either(self.prefix("words", word), *exactly)

    def between(self, asked: Query, field: str, first: int, last: int) -> Query:
        """Return what a query finds whose day, as `day_of` writes it, is one of a period."""
        days = Query.range_query(self.schema, field, tantivy.FieldType.Unsigned, first, last)
        return both(asked, days)

    def meeting(self, asked: Query, facet: str, values: Collection[str]) -> Query:
        """Return what a query finds that has one of some values of a facet."""
        field, wanted = facet_field(facet), list(values)
        if len(wanted) == 1:  # four times as fast as a set of one
            return both(asked, self.term(field, wanted[0]))
        return both(asked, Query.term_set_query(self.schema, field, wanted))

    def values(
        self, asked: Query, facet: str, most: int = BUCKETS, among: Collection[str] | None = None
    ) -> dict[str, int]:
        """Return how many entities a query finds for each value of a facet, as `counts` does."""
        return self.counts(asked, facet_field(facet), most, among)

    def counts(
        self, asked: Query, field: str, most: int = BUCKETS, among: Collection[str] | None = None
    ) -> dict[str, int]:
        """Return how many entities a query finds for each value of a field, the most found first.

        Only values `among` some are counted, where they are given; those found nowhere are absent.
        """
        # Each segment tells of all its values, or the most found of all might not be.
        terms: dict[str, object] = {"field": field, "size": most, "segment_size": BUCKETS}
        terms |= {} if among is None else {"include": list(among)}
        found = self.searcher.aggregate(asked, {"values": {"terms": terms}})
        return {each["key"]: each["doc_count"] for each in found["values"]["buckets"]}

    # For everyone

    def places(self, iris: Collection[str], language: str) -> dict[str, Place]:
        """Return what the index shows of some entities, by IRI."""
        found = self._documents(iris)
        return {iri: place_of(each, language) for iri in iris if (each := found[iri])}

    def _documents(self, iris: Collection[str]) -> dict[str, Document | None]:
        """Return the documents of some IRIs, None for what has none; the last read are kept."""
        found = {iri: self.kept[iri] for iri in iris if iri in self.kept}
        missing = dict.fromkeys(iri for iri in iris if iri not in found)
        if not missing:
            return found
        asked = Query.term_set_query(self.schema, "iri", list(missing))
        hits = self.searcher.search(asked, limit=len(missing), order_by_field="weight").hits
        read = {each["iri"][0]: each for each in (self._document(at) for _, at in hits)}
        if len(self.kept) + len(missing) > KEPT:
            self.kept = {}
        # What is not there has no more names than an entity may bear.
        absent: dict[str, Document | None] = {iri: None for iri in missing if len(iri) < NAME}
        self.kept |= absent | read
        return found | missing | read

    def _document(self, address: tantivy.DocAddress) -> Document:
        document = self.searcher.doc(address).to_dict()
        return {name: document[name] for name in SHOWN if name in document}

    def points(self, iris: Sequence[str]) -> dict[str, tuple[float, float]]:
        """Return latitude and longitude of the entities that have some, or stand at what has."""
        found = self.places(iris, "fr")
        places = {each for place in found.values() if not place.point for each in place.at}
        at = self.places(places, "fr")
        known = ((iri, around(found[iri], at)) for iri in iris if iri in found)
        return {iri: point for iri, point in known if point}

    def place(self, address: tantivy.DocAddress, language: str) -> Place:
        return place_of(self._document(address), language)

    def term(self, field: str, value: str) -> Query:
        return Query.term_query(self.schema, field, value, index_option="basic")

    def prefix(self, field: str, value: str) -> Query:
        return Query.fuzzy_term_query(self.schema, field, value, distance=0, prefix=True)

    def postcode(self, code: str, language: str) -> list[Place]:
        """Return the communes of a postcode, the more peopled first."""
        return self.find(self.term("postcode", code), POSTCODES, language)

    def total(self, asked: Query) -> int:
        # In an order of days nothing is scored: an order of magnitude sooner.
        return count(self.searcher.search(asked, limit=1, order_by_field="ends"))

    def find(self, asked: Query, limit: int, language: str, offset: int = 0) -> list[Place]:
        """Return the best of what a query finds, the more peopled first among equals."""
        found = self.searcher.search(
            asked, limit=limit, offset=self.start(offset), weight_by_field="weight"
        )
        return [self.place(address, language) for _, address in found.hits]


def both(*queries: Query) -> Query:
    return Query.boolean_query([(Occur.Must, each) for each in queries])


def either(*queries: Query) -> Query:
    return Query.boolean_query([(Occur.Should, each) for each in queries])


def count(found: tantivy.SearchResult) -> int:
    return int(found.count)  # type: ignore[attr-defined]  # its stubs forget it
