"""Importing: files in, one change set out, with everything there is to say about it.

Nothing is published here: the change set is proposed, validated in the state after
it, and handed back with its report; `store.publication` records it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from pyoxigraph import Literal, NamedNode, Quad, QuerySolutions, Store

from thc_graph.rdf.changes import ChangeSet, diff
from thc_graph.schema.model import Schema, Text
from thc_graph.schema.validation import Accepted, Violation
from thc_graph.sheets.columns import HeadingMapping, layout
from thc_graph.sheets.conversion import Conversion, convert
from thc_graph.sheets.datasets import Input
from thc_graph.sheets.names import Names
from thc_graph.sheets.problems import Cell, Problem, Severity
from thc_graph.sheets.reading import Row, Table, read_tables
from thc_graph.store.history import Source
from thc_graph.store.publication import Repository


@dataclass
class Proposal:
    """What some files would change, and what is to be said about it."""

    change: ChangeSet
    conversions: list[Conversion]
    problems: list[Problem]
    sources: tuple[Source, ...]
    entities: dict[str, int] = field(default_factory=dict)  # added, changed, unchanged

    @property
    def errors(self) -> list[Problem]:
        return [each for each in self.problems if each.severity is Severity.ERROR]

    @property
    def warnings(self) -> list[Problem]:
        return [each for each in self.problems if each.severity is Severity.WARNING]


def propose(files: Iterable[Input], repository: Repository, base: str) -> Proposal:
    """Read files and work out what they change; faults of cells are in `problems`.

    Raises:
        SheetError: A file is not a sheet at all.
        OSError: A file cannot be opened.
    """
    given = list(files)
    schema, snapshot = repository.schema, repository.current()
    published = snapshot.store() if snapshot else Store()
    names = known(published, repository, base)
    conversions = [
        conversion for each in given for conversion in _conversions(each, names, schema, base)
    ]
    described = {quad for each in given for quad in each.dataset.quads(base)}
    change = _change(conversions, described, published)
    return Proposal(
        change=change,
        conversions=conversions,
        problems=[problem for each in conversions for problem in each.problems],
        sources=tuple(map(_source, given)),
        entities=_counts(conversions, change, published),
    )


def judged(
    proposal: Proposal, outcome: Accepted | list[Violation], schema: Schema
) -> list[Problem]:
    """Return what validation found, each result in the cell where it can be mended."""
    found = outcome.warnings if isinstance(outcome, Accepted) else outcome
    to_problem = partial(_problem, proposal=proposal, schema=schema)
    return sorted(map(to_problem, found), key=_place)


def known(published: Store, repository: Repository, base: str) -> Names:
    """Return the names of everything published, for references."""
    names = Names(repository.schema, base)
    library = repository.derivation.library
    for entity, type_ in _pairs(published, library.get("import/types").text, "type"):
        if isinstance(type_, NamedNode):
            names.add(entity, {type_}, ())
    for entity, name in _pairs(published, library.get("import/names").text, "name"):
        if isinstance(name, Literal):
            names.add(entity, (), (name.value,))
    return names


def _pairs(store: Store, text: str, other: str) -> Iterator[tuple[NamedNode, NamedNode | Literal]]:
    solutions = store.query(text)
    assert isinstance(solutions, QuerySolutions)
    for row in solutions:
        entity, value = row["entity"], row[other]
        if isinstance(entity, NamedNode) and isinstance(value, NamedNode | Literal):
            yield entity, value


def _conversions(each: Input, names: Names, schema: Schema, base: str) -> Iterator[Conversion]:
    """Convert the rows a mapping declares first, then the file's own."""
    for slug, rows in each.mapping.before.items():
        table = _declared(f"{each.path.name} › {slug}", rows)
        found = layout(table, schema, slug)
        yield convert(table, found, names, schema, each.dataset.graph(base, slug))
    for table in read_tables(each.path):
        found = layout(table, schema, each.sheet, each.mapping or HeadingMapping())
        graph = each.dataset.graph(base, found.sheet.slug)
        yield convert(table, found, names, schema, graph)


def _declared(name: str, rows: list[dict[str, str]]) -> Table:
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    lines = [headings, *([str(row.get(h, "")) for h in headings] for row in rows)]
    return Table(name, "", tuple(Row(n, tuple(cells)) for n, cells in enumerate(lines, start=1)))


def _source(each: Input) -> Source:
    return Source(each.path.name, hashlib.sha256(each.path.read_bytes()).hexdigest())


def _change(conversions: list[Conversion], described: set[Quad], published: Store) -> ChangeSet:
    """Replace, in each sheet's graph, the facts whose cells are filled; touch nothing else."""
    after = described | {quad for each in conversions for quad in each.quads}
    before = {quad for quad in after if quad in published}
    graphs = set(published.named_graphs())
    for each in conversions:
        for graph in {quad.graph_name for quad in each.quads} & graphs:
            for subject, predicate in each.filled:
                before.update(published.quads_for_pattern(subject, predicate, None, graph))
    return diff(before, after)


def _counts(conversions: list[Conversion], change: ChangeSet, published: Store) -> dict[str, int]:
    touched = change.subjects()
    subjects = {iri for each in conversions for iri in each.rows}
    old = {iri for iri in subjects & touched if _is_published(iri, published)}
    return {
        "added": len((subjects & touched) - old),
        "changed": len(old),
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
    return Problem(_cell(violation, proposal, schema), severity, read, message, code)


def _cell(violation: Violation, proposal: Proposal, schema: Schema) -> Cell:
    """Return the cell of the faulty property, else the row, else the published entity."""
    column = schema.property(violation.column).predicate if violation.column else None
    predicate = column or violation.path
    for each in proposal.conversions:
        if predicate and (violation.focus, predicate) in each.origins:
            return each.origins[violation.focus, predicate]
    for each in proposal.conversions:
        if violation.focus in each.rows:
            return each.rows[violation.focus]
    return Cell(violation.focus.value, 0)


def _place(problem: Problem) -> tuple[str, str, int, int]:
    return problem.severity, problem.cell.file, problem.cell.line, problem.cell.column or 0
