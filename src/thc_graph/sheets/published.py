"""What is published already, under the names that cells may call it by."""

import csv
from collections.abc import Iterator
from functools import partial
from io import StringIO
from itertools import islice

from pyoxigraph import NamedNode, Quad, QueryResultsFormat, QuerySolutions, Store

from thc_graph.rdf.terms import SKOS, THC
from thc_graph.schema.model import Schema
from thc_graph.sheets.names import Names
from thc_graph.store.queries import Library

_DEPARTEMENT, _ADMINISTERS, _MEMBER = THC["departement"], THC["administre"], THC["membreDe"]

_SCHEME = SKOS["ConceptScheme"].value


def known(published: Store, library: Library, schema: Schema, base: str) -> Names:
    """Return the names of everything published, for references."""
    names = Names(schema, base, departement=partial(_departement, published))
    nodes: dict[str, NamedNode] = {}
    singles: dict[str, frozenset[NamedNode]] = {}  # hundreds of thousands of things, few types
    for entity, type_ in _pairs(published, library.get("import/types").text):
        node = nodes.get(entity)
        if node is None:
            node = nodes[entity] = NamedNode(entity)
        if type_ not in singles:
            singles[type_] = frozenset({NamedNode(type_)})
        names.add(node, singles[type_], ())
        if type_ == _SCHEME:
            names.add(node, (), (entity.rstrip("/").rpartition("/")[2],))
    for entity, name in _pairs(published, library.get("import/names").text):
        names.call(nodes.get(entity) or NamedNode(entity), name)
    return names


def _pairs(store: Store, text: str) -> Iterator[tuple[str, str]]:
    """Yield the first two columns of an answer; in CSV, which the engine writes fastest."""
    solutions = store.query(text)
    assert isinstance(solutions, QuerySolutions)
    answer = solutions.serialize(format=QueryResultsFormat.CSV)
    assert answer is not None
    rows = csv.reader(StringIO(answer.decode(), newline=""))
    next(rows)
    yield from ((row[0], row[1]) for row in rows if not row[0].startswith("_:"))


def _departement(published: Store, iri: NamedNode) -> str:
    """Return the code of the département a thing lies in, or that what it administers lies in."""
    places = [iri, *_objects(published, iri, _ADMINISTERS)]
    for place in [
        *places,
        *(
            q.subject
            for p in places
            for q in _members(published, p)
            if isinstance(q.subject, NamedNode)
        ),
    ]:
        for found in _objects(published, place, _DEPARTEMENT):
            return found.value.rpartition("/")[2]
    return ""


def _members(published: Store, place: NamedNode) -> list[Quad]:
    """Return one commune of an intercommunal body: enough to say where it lies."""
    return list(islice(published.quads_for_pattern(None, _MEMBER, place), 1))


def _objects(published: Store, subject: NamedNode, predicate: NamedNode) -> list[NamedNode]:
    found = published.quads_for_pattern(subject, predicate, None)
    return [quad.object for quad in found if isinstance(quad.object, NamedNode)]
