"""What is published already, under the names that cells may call it by."""

from functools import partial
from itertools import islice

from pyoxigraph import NamedNode, Quad, Store

from thc_graph.names import lexicon
from thc_graph.names.names import Names
from thc_graph.rdf.terms import THC
from thc_graph.schema.model import Schema
from thc_graph.store.library import Library
from thc_graph.store.snapshots.snapshot import Snapshot

_DEPARTEMENT, _ADMINISTERS, _MEMBER = THC["departement"], THC["administre"], THC["membreDe"]


def known(snapshot: Snapshot | None, library: Library, schema: Schema, base: str) -> Names:
    """Return the names of everything published, for references."""
    store = snapshot.store() if snapshot else Store()
    return Names(
        schema,
        base,
        lexicon.of_snapshot(snapshot, library),
        partial(departement, store),
        partial(authorities, store),
    )


def authorities(published: Store, place: NamedNode) -> list[NamedNode]:
    """Return what runs a place."""
    found = (q.subject for q in published.quads_for_pattern(None, _ADMINISTERS, place))
    return list(dict.fromkeys(each for each in found if isinstance(each, NamedNode)))


def departement(published: Store, iri: NamedNode) -> str:
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
