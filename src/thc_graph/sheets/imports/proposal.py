"""Importing: files in, one change set out, with everything there is to say about it.

Nothing is published here: the change set is proposed, validated in the state after
it, and handed back with its report; `sheets.imports.load` has it recorded.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path

from pyoxigraph import NamedNode, Quad, QuerySolutions, Store

from thc_graph.names.names import Names
from thc_graph.names.published import known
from thc_graph.rdf.canonical import normalised
from thc_graph.rdf.changes import ChangeSet, diff
from thc_graph.rdf.terms import A
from thc_graph.schema.model import Schema
from thc_graph.schema.reports import Violation
from thc_graph.schema.shapes import Text
from thc_graph.schema.validation import Accepted
from thc_graph.sheets.imports import provenance
from thc_graph.sheets.imports.conversion import Given, convert_all
from thc_graph.sheets.imports.converted import Conversion
from thc_graph.sheets.imports.datasets import Input
from thc_graph.sheets.imports.recognition import recognise
from thc_graph.sheets.problems import Cell, Problem, Severity
from thc_graph.store.history.commits import Source
from thc_graph.store.progress import Progress, silent
from thc_graph.store.writes.repository import Repository

Line = tuple[str, str, int]  # file, sheet, number


@dataclass(frozen=True)
class Complete:
    """The files hold all there is: of their sheets, or of one territory in them."""

    territory: NamedNode | None = None


@dataclass(frozen=True)
class Part:
    """One table of one file, and what its rows say."""

    given: Given
    source: Source
    conversion: Conversion

    @property
    def graph(self) -> NamedNode:
        return self.given.graph


@dataclass
class Proposal:
    """What some files would change, and what is to be said about it."""

    change: ChangeSet
    parts: list[Part]
    problems: list[Problem]
    entities: dict[str, int] = field(default_factory=dict)  # added, changed, removed, unchanged
    scope: int = 0  # published entities that the files are declared complete for

    @property
    def conversions(self) -> list[Conversion]:
        return [each.conversion for each in self.parts]

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(dict.fromkeys(each.source for each in self.parts))

    @property
    def errors(self) -> list[Problem]:
        return [each for each in self.problems if each.severity is Severity.ERROR]

    @property
    def warnings(self) -> list[Problem]:
        return [each for each in self.problems if each.severity is Severity.WARNING]


def propose(
    files: Iterable[Input],
    repository: Repository,
    base: str,
    complete: Complete | None = None,
    without: frozenset[Line] = frozenset(),
    progress: Progress = silent,
) -> Proposal:
    """Read files and work out what they change; faults of cells are in `problems`.

    Args:
        files: What to read, in the order they depend on one another.
        repository: What is published.
        base: Of the entities' IRIs.
        complete: What is published and missing from the files is removed.
        without: Rows to leave out.
        progress: Told each stage.

    Raises:
        SheetError: A file is not a sheet at all.
        OSError: A file cannot be opened.
    """
    given = list(files)
    schema, snapshot = repository.schema, repository.current()
    published = snapshot.store() if snapshot else Store()
    progress("reading")
    sheets, problems = recognise(given, schema, base)
    progress("names")
    names = known(snapshot, repository.derivation.library, schema, base)
    progress("converting")
    parts = _parts([_kept(each, without) for each in sheets], names, schema, progress)
    progress("comparing")
    told = {p.given.input.path: p.given.input for p in parts if p.conversion.quads}
    described = {q for each in told.values() for q in _described(each, published, base)}
    scope = _scope(parts, complete, published, repository) if complete else set()
    missing = scope - {iri for each in parts for iri in each.conversion.rows}
    change = _change(parts, described, missing, published)
    traced = _traced(parts, missing, change, published, base)
    return Proposal(
        change=ChangeSet(change.removed | traced.removed, change.added | traced.added),
        parts=parts,
        problems=[*problems, *(found for each in parts for found in each.conversion.problems)],
        entities=_counts(parts, missing, change, published),
        scope=len(scope),
    )


def judged(
    proposal: Proposal, outcome: Accepted | list[Violation], schema: Schema
) -> list[Problem]:
    """Return what validation found, each result in the cell where it can be mended."""
    found = outcome.warnings if isinstance(outcome, Accepted) else outcome
    to_problem = partial(_problem, proposal=proposal, schema=schema)
    return sorted(map(to_problem, found), key=_place)


def _kept(given: Given, without: frozenset[Line]) -> Given:
    """Leave out some rows of a table."""
    if not without:
        return given
    table, found = given.table, given.layout
    rows = tuple(r for r in found.rows if (table.file, table.name, r.line) not in without)
    return replace(given, layout=replace(found, rows=rows))


def _described(each: Input, published: Store, base: str) -> Iterable[Quad]:
    """Return what a file says of its dataset; a lone one only names it, once."""
    known_already = _is_published(each.dataset.iri(base), published)
    return () if known_already and not each.describes else each.dataset.quads(base)


def _parts(sheets: list[Given], names: Names, schema: Schema, progress: Progress) -> list[Part]:
    sources = {each.input.path: _source(each.input.path) for each in sheets}
    conversions = convert_all(sheets, names, schema, progress)
    return [Part(s, sources[s.input.path], c) for s, c in zip(sheets, conversions, strict=True)]


def _source(path: Path) -> Source:
    return Source(path.name, hashlib.sha256(path.read_bytes()).hexdigest())


def _scope(
    parts: list[Part], complete: Complete, published: Store, repository: Repository
) -> set[NamedNode]:
    """Return the published entities of the parts' graphs that the files should hold."""
    graphs = {each.graph for each in parts if not each.given.declared}
    if complete.territory is None:
        typed = (q for g in graphs for q in published.quads_for_pattern(None, A, None, g))
        return {quad.subject for quad in typed if isinstance(quad.subject, NamedNode)}
    text = repository.derivation.library.fill(
        "import/scope", graph=graphs, territoire=complete.territory
    )
    solutions = published.query(text)
    assert isinstance(solutions, QuerySolutions)
    return {row["entity"] for row in solutions if isinstance(row["entity"], NamedNode)}


def _change(
    parts: list[Part], described: set[Quad], missing: set[NamedNode], published: Store
) -> ChangeSet:
    """Replace, in each sheet's graph, the facts whose cells are filled; touch nothing else."""
    said = (each.conversion.quads for each in parts)
    after = set().union(normalised(described), *said)
    graphs = set(published.named_graphs())
    before = {quad for quad in after if quad.graph_name in graphs and quad in published}
    for each in parts:
        if each.graph in graphs:
            for subject, filled in each.conversion.filled.items():
                for predicate in filled:
                    former = published.quads_for_pattern(subject, predicate, None, each.graph)
                    before.update(filter(each.conversion.replaces, former))
            for subject in missing:
                before.update(published.quads_for_pattern(subject, None, None, each.graph))
    return diff(before, after)


def _traced(
    parts: list[Part], missing: set[NamedNode], change: ChangeSet, published: Store, base: str
) -> ChangeSet:
    """Say of each entity that a part changes from which of its rows it comes."""
    removed, added = provenance.forgotten(missing, published), set[Quad]()
    for each in parts:
        touched = _touched(each, change)
        rows = [
            (iri, cell._replace(line=0) if each.given.declared else cell)
            for iri, cell in each.conversion.rows.items()
            if iri in touched
        ]
        found = provenance.trace(rows, each.source, each.given.input.dataset, base, published)
        removed |= found.removed
        added |= found.added
    return ChangeSet(frozenset(removed - added), frozenset(added - removed))


def _touched(part: Part, change: ChangeSet) -> set[NamedNode]:
    """Return the entities of which this very part adds or replaces a fact."""
    added = (quad for quad in part.conversion.quads if quad in change.added)
    replaced = (
        quad
        for quad in change.removed
        if quad.graph_name == part.graph and part.conversion.replaces(quad)
    )
    subjects = (quad.subject for quad in chain(added, replaced))
    return {each for each in subjects if isinstance(each, NamedNode)}


def _counts(
    parts: list[Part], missing: set[NamedNode], change: ChangeSet, published: Store
) -> dict[str, int]:
    touched = change.subjects()
    subjects = {iri for each in parts for iri in each.conversion.rows}
    old = {iri for iri in subjects & touched if _is_published(iri, published)}
    return {
        "added": len((subjects & touched) - old),
        "changed": len(old),
        "removed": len(missing),
        "unchanged": len(subjects - touched),
    }


def _is_published(iri: NamedNode, published: Store) -> bool:
    return next(published.quads_for_pattern(iri, None, None), None) is not None


def _problem(violation: Violation, proposal: Proposal, schema: Schema) -> Problem:
    severity = Severity.ERROR if violation.refuses else Severity.WARNING
    code = violation.shape.value.rpartition("#")[2] if violation.shape else "shape"
    read = getattr(violation.value, "value", "") or ""
    message = violation.message
    if not message.fr:
        message = Text(fr=f"Règle {code} non respectée.", en=f"Rule {code} is broken.")
    cell = _cell(violation, proposal, schema)
    entity = "" if cell.line else violation.focus.value
    return Problem(cell, severity, read, message, code, entity=entity)


def _cell(violation: Violation, proposal: Proposal, schema: Schema) -> Cell:
    """Return the cell of the faulty property, else the row, else the published entity."""
    column = schema.property(violation.column).predicate if violation.column else None
    predicate = column or violation.path
    for each in proposal.conversions:
        cells = each.origins.get(violation.focus, {})
        if predicate in cells:
            return cells[predicate]
    for each in proposal.conversions:
        if violation.focus in each.rows:
            return each.rows[violation.focus]
    return Cell(violation.focus.value, 0)


def _place(problem: Problem) -> tuple[str, str, int, int]:
    return problem.severity, problem.cell.file, problem.cell.line, problem.cell.column or 0
