"""Provenance: which row of which file an entity was last derived from.

One quad an entity that an import changes, to the IRI of the row (RFC 7111, section 2),
and one description a file. They stand in a graph of their own, one a dataset, which is
no part of the default graph: a page tells facts, and this tells where they come from.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import quote

from pyoxigraph import Literal, NamedNode, Quad, Store

from thc_graph.rdf import iris
from thc_graph.rdf.changes import ChangeSet, diff
from thc_graph.rdf.terms import DCT, PROV, RDFS, XSD, A
from thc_graph.sheets.imports.datasets import Dataset
from thc_graph.sheets.problems import Cell
from thc_graph.store.history.commits import Source

SHORT = 16  # hexadecimal digits of a file's SHA-256 in its IRI
DERIVED = PROV["wasDerivedFrom"]


def trace(
    rows: Iterable[tuple[NamedNode, Cell]],
    source: Source,
    dataset: Dataset,
    base: str,
    published: Store,
) -> ChangeSet:
    """Return what is to be said of entities that a file changes.

    A row of an earlier file of the same name is replaced; a row of another file stays,
    as the entity was derived from both.
    """
    graph = iris.graph(base, f"{iris.PROVENANCE}/{dataset.id}")
    file = iris.entity(base, "fichier", source.sha256[:SHORT])
    editions = {file, *_editions(source.name, graph, published)}
    before: set[Quad] = set()
    after: set[Quad] = set()
    for entity, cell in rows:
        after.add(Quad(entity, DERIVED, _row(file, cell), graph))
        said = published.quads_for_pattern(entity, DERIVED, None, graph)
        before |= {quad for quad in said if _file(quad) in editions}
    if after and next(published.quads_for_pattern(file, A, None, graph), None) is None:
        after.update(_described(file, source, dataset.iri(base), graph))
    return diff(before, after)


def forgotten(entities: Iterable[NamedNode], published: Store) -> set[Quad]:
    """Return the provenance of entities that are removed."""
    said = (q for each in entities for q in published.quads_for_pattern(each, DERIVED, None))
    return {quad for quad in said if iris.is_provenance(quad.graph_name)}


def _row(file: NamedNode, cell: Cell) -> NamedNode:
    """Name a row as a person sees it; a row that a mapping declares is named by its file."""
    sheet = f"{quote(cell.sheet, safe='')}!" if cell.sheet else ""
    return NamedNode(f"{file.value}#{sheet}row={cell.line}") if cell.line else file


def _editions(name: str, graph: NamedNode, published: Store) -> Iterator[NamedNode]:
    for quad in published.quads_for_pattern(None, RDFS["label"], Literal(name), graph):
        if isinstance(quad.subject, NamedNode):
            yield quad.subject


def _file(said: Quad) -> NamedNode | None:
    row = said.object
    return NamedNode(row.value.partition("#")[0]) if isinstance(row, NamedNode) else None


def _described(
    file: NamedNode, source: Source, dataset: NamedNode, graph: NamedNode
) -> Iterator[Quad]:
    today = datetime.now(UTC).date().isoformat()
    yield Quad(file, A, PROV["Entity"], graph)
    yield Quad(file, RDFS["label"], Literal(source.name), graph)
    yield Quad(file, DCT["identifier"], Literal(f"sha256:{source.sha256}"), graph)
    yield Quad(file, DCT["dateSubmitted"], Literal(today, datatype=XSD["date"]), graph)
    yield Quad(file, DCT["isPartOf"], dataset, graph)
