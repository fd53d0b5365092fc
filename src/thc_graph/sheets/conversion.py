"""Conversion: the rows of one sheet as quads, each with the cell it came from.

Two passes: first every row's entities are named and made known, so that rows of
the same file may refer to one another; then their cells are read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pyoxigraph import NamedNode, Quad

from thc_graph.rdf import iris
from thc_graph.rdf.terms import DASH, A, Term
from thc_graph.schema.model import PropertyShape, Schema
from thc_graph.sheets import values
from thc_graph.sheets.columns import Column, Layout, Member
from thc_graph.sheets.names import Names
from thc_graph.sheets.problems import Cell, Problem, Severity, message
from thc_graph.sheets.reading import Row, Table
from thc_graph.sheets.values import Unreadable
from thc_graph.sheets.words import folded

Fact = tuple[NamedNode, NamedNode]  # subject, property


@dataclass
class Conversion:
    """What a sheet says.

    `filled` are the (subject, property) pairs whose cells hold something: their
    former values in the same graph are replaced. `origins` also knows the empty
    cells, so that a missing value is shown in the cell to fill.
    """

    quads: set[Quad] = field(default_factory=set)
    filled: set[Fact] = field(default_factory=set)
    origins: dict[Fact, Cell] = field(default_factory=dict)
    rows: dict[NamedNode, Cell] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Subject:
    """One entity of one row, named."""

    iri: NamedNode
    class_: NamedNode
    member: Member
    row: Row
    only: tuple[str, str] | None = None  # (heading, value): this entity's share of a cell


def convert(
    table: Table, layout: Layout, names: Names, schema: Schema, graph: NamedNode
) -> Conversion:
    """Return what the rows of a recognised table say, as quads of `graph`.

    Faults are collected, never raised: each names its cell.
    """
    return _Converter(table, layout, names, schema, graph).convert()


class _Converter:
    def __init__(
        self, table: Table, layout: Layout, names: Names, schema: Schema, graph: NamedNode
    ) -> None:
        self.table, self.layout, self.names = table, layout, names
        self.schema, self.graph = schema, graph
        self.out = Conversion()
        self.columns: dict[NamedNode, tuple[Column, ...]] = {}

    def convert(self) -> Conversion:
        for column in self.layout.ignored:
            self.say(
                self.table.cell(1, column.number, column.heading),
                Severity.NOTE, "", "ignored-column", sheet=self.layout.sheet.label.fr,
            )  # fmt: skip
        rows = [subjects for row in self.layout.rows for subjects in self.subjects(row)]
        for subjects in rows:
            for subject in subjects:
                self.fill(subject)
            self.link(subjects)
        self._refuse_contradictions(rows)
        return self.out

    # Naming

    def subjects(self, row: Row) -> Iterator[list[Subject]]:
        """Yield the entities of a row; several lists where a cell makes one for each value."""
        main, *parts = self.layout.members
        for only in self._shares(main, row):
            first = self.subject(main, row, only, ())
            if first is not None:
                found = [first]
                for part in parts:
                    if self._is_made(part, main, row):
                        made = self.subject(part, row, only, found)
                        found.extend([made] if made else [])
                yield found

    def _shares(self, main: Member, row: Row) -> list[tuple[str, str] | None]:
        for shape in main.properties:
            if shape.each_value:
                found = self.cells(shape, row, None)
                text = _read_as(shape, found[0][1]) if found else ""
                return [(shape.name.fr, each) for each in values.split(text, shape)] or [None]
        return [None]

    def _is_made(self, part: Member, main: Member, row: Row) -> bool:
        """A part is made when a cell of its own, not one of the main entity's, is filled."""
        shared = {cell[0] for each in main.properties for cell in self.cells(each, row, None)}
        own = (cell for each in part.properties for cell in self.cells(each, row, None))
        return any(text and column not in shared for column, text in own)

    def subject(
        self, member: Member, row: Row, only: tuple[str, str] | None, before: Iterable[Subject]
    ) -> Subject | None:
        class_ = self.class_of(member, row)
        if class_ is None:
            return None
        iri = self.name(class_, row, only, tuple(before))
        if iri is None:
            return None
        subject = Subject(iri, class_, member, row, only)
        self.out.rows.setdefault(iri, self.table.cell(row.line))
        self.names.add(iri, {class_}, self._called(subject))
        return subject

    def _called(self, subject: Subject) -> list[str]:
        shapes = self.schema.properties_of(subject.class_)
        called = [s for s in shapes if s.role in (DASH["LabelRole"], DASH["IDRole"])]
        called.sort(key=lambda shape: shape.role != DASH["LabelRole"])
        return [text for s in called for _, text in self.cells(s, subject.row, None) if text]

    def class_of(self, member: Member, row: Row) -> NamedNode | None:
        """Return the class the row's type cell says, or the only one, or the default."""
        if len(member.classes) == 1:
            return member.classes[0]
        shape = next((s for s in member.properties if s.predicate == A), None)
        cells = self.cells(shape, row, None) if shape else []
        text = cells[0][1] if cells else ""
        if text and shape is not None:
            cell = self.cell(row, cells[0][0])
            return self._class_called(_read_as(shape, text), member, cell)
        if shape is not None and isinstance(shape.default, NamedNode):
            return shape.default
        where = self.cell(row, cells[0][0]) if cells else self.table.cell(row.line)
        self.fault(where, "", "missing-type", self._class_labels(member))
        return None

    def _class_called(self, text: str, member: Member, cell: Cell) -> NamedNode | None:
        word = folded(text)
        for iri in member.classes:
            if word in self._words(iri):
                return iri
        self.fault(cell, text, "unknown-type", self._class_labels(member))
        return None

    def _words(self, iri: NamedNode) -> set[str]:
        class_ = self.schema.classes.get(iri)
        spoken = (class_.label.fr, class_.label.en, *class_.variants) if class_ else ()
        return {folded(word) for word in (*spoken, iri.value.rpartition("#")[2])}

    def _class_labels(self, member: Member) -> list[str]:
        return [self.schema.classes[c].label.fr for c in member.classes if c in self.schema.classes]

    def name(
        self,
        class_: NamedNode,
        row: Row,
        only: tuple[str, str] | None,
        before: tuple[Subject, ...],
    ) -> NamedNode | None:
        """Return the entity's IRI, from its Identifiant (main entity only) or its key."""
        naming = self.schema.naming(class_)
        if naming is None:
            return None
        given = self.layout.identifier
        text = self._text(given, row) if given and not before else ""
        if text:
            key: str | None = iris.slug(text) if "/" not in text else text
        else:
            key = self._key(naming.key, class_, row, only, before)
            key = key or self._key(naming.fallback_key, class_, row, only, before)
        if not key:
            columns = ", ".join(self.schema.property(each).name.fr for each in naming.key)
            self.fault(self.table.cell(row.line), "", "missing-key", columns=columns)
            return None
        if naming.namespace:
            return NamedNode(naming.namespace + key)
        return iris.entity(self.names.base, naming.kind or "", key)

    def _key(
        self,
        shapes: tuple[NamedNode, ...],
        class_: NamedNode,
        row: Row,
        only: tuple[str, str] | None,
        before: tuple[Subject, ...],
    ) -> str | None:
        found = [self.schema.property(s) for s in shapes]
        segments = [self._segment(shape, class_, row, only, before) for shape in found]
        if not segments or not all(segments):
            return None
        return ("/" if self._is_concept(shapes) else "-").join(s for s in segments if s)

    def _is_concept(self, shapes: tuple[NamedNode, ...]) -> bool:
        """A concept's key is its scheme's name, then its code."""
        first = self.schema.property(shapes[0])
        return first.predicate.value.endswith("core#inScheme")

    def _segment(
        self,
        shape: PropertyShape,
        class_: NamedNode,
        row: Row,
        only: tuple[str, str] | None,
        before: tuple[Subject, ...],
    ) -> str | None:
        linked = self._linked(shape, before)
        if linked is not None:
            return self._reference_segment(linked, shape)
        cells = [cell for cell in self.cells(shape, row, only) if cell[1]]
        text = _read_as(shape, cells[0][1]) if cells else shape.default_cell or ""
        if not text:
            return None
        if shape.classes or shape.scheme:
            found = self.names.find(text, shape)
            return self._reference_segment(found[0], shape) if len(found) == 1 else None
        if text.isdigit():
            text = text.zfill(self.schema.code_length(class_, shape.predicate))
        return self._literal_segment(text, shape)

    def _literal_segment(self, text: str, shape: PropertyShape) -> str:
        """A code that opens with a digit keeps its form (2A004); anything else is slugged."""
        try:
            read = values.literal(text, shape, "fr").value
        except Unreadable:
            read = text
        if shape.role == DASH["IDRole"] and read[:1].isdigit() and read.isalnum():
            return read
        return iris.slug(read)

    def _linked(self, shape: PropertyShape, before: tuple[Subject, ...]) -> NamedNode | None:
        """Return the entity of the same row that a part's link property points at."""
        for part, member in zip(self.layout.sheet.parts, self.layout.members[1:], strict=True):
            if part.link == shape.iri and self.schema.has_property(member.shape, shape.iri):
                return self._target(part.link, before)
        return None

    def _target(self, link: NamedNode, before: Iterable[Subject]) -> NamedNode | None:
        classes = self.schema.property(link).classes
        for each in before:
            above = self.schema.ancestors(each.class_)
            if not classes or any(class_ in above for class_ in classes):
                return each.iri
        return None

    def _reference_segment(self, iri: NamedNode, shape: PropertyShape) -> str:
        place = iris.kind_and_key(iri.value, self.names.base)
        if place is None:
            return iri.value.rstrip("/").rpartition("/")[2]
        return f"{place[0]}-{place[1]}" if shape.key_with_kind else place[1]

    # Reading cells

    def fill(self, subject: Subject) -> None:
        """Read every cell of an entity."""
        self.add(subject.iri, A, subject.class_, None)
        for shape in self.schema.properties_of(subject.class_):
            if not shape.is_column or shape.predicate == A:
                continue
            cells = self.cells(shape, subject.row, subject.only)
            if not cells and shape.default_cell:
                cells = [(Column(shape.name.fr, None), shape.default_cell)]
            for column, text in cells:
                self._fill(subject, shape, column, self._completed(subject, shape, column, text))

    def _completed(self, subject: Subject, shape: PropertyShape, column: Column, text: str) -> str:
        """Complete a code that lost its leading zeros, and say so."""
        length = self.schema.code_length(subject.class_, shape.predicate)
        if not text.isdigit() or len(text) >= length:
            return text
        cell = self.cell(subject.row, column)
        self.say(cell, Severity.NOTE, text, "padded", value=text.zfill(length))
        return text.zfill(length)

    def _fill(self, subject: Subject, shape: PropertyShape, column: Column, text: str) -> None:
        cell = self.cell(subject.row, column)
        self.out.origins.setdefault((subject.iri, shape.predicate), cell)
        if values.is_nothing(text):
            return
        self.out.filled.add((subject.iri, shape.predicate))
        if text == values.DELETE:
            return
        for each in values.split(_read_as(shape, text), shape):
            for term in self.terms(each, shape, column.language, cell):
                self.add(subject.iri, shape.predicate, term, cell)

    def terms(self, text: str, shape: PropertyShape, language: str, cell: Cell) -> list[Term]:
        """Return the term one value says: none, with its fault told, when it says none."""
        if shape.classes or shape.scheme:
            return list(self.reference(text, shape, cell))
        try:
            if shape.is_iri:
                known = self.names.find(text, shape)
                return [known[0] if len(known) == 1 else values.link(text, shape)]
            return [values.literal(text, shape, language)]
        except Unreadable as fault:
            self.fault(cell, text, fault.code)
            return []

    def reference(self, text: str, shape: PropertyShape, cell: Cell) -> Iterator[NamedNode]:
        found = self.names.find(text, shape)
        if len(found) == 1:
            yield found[0]
        elif found:
            self.fault(cell, text, "ambiguous-reference", [self.names.describe(i) for i in found])
        elif shape.scheme is not None:
            self.fault(cell, text, "unknown-concept", self.names.members(shape))
        else:
            self._unknown(text, shape, cell)

    def _unknown(self, text: str, shape: PropertyShape, cell: Cell) -> None:
        near = self.names.near(text, shape)
        code = "did-you-mean" if near else "create-first"
        suggestion = message(code, candidates=", ".join(near))
        classes = [
            self.schema.classes[c].label.fr for c in shape.classes if c in self.schema.classes
        ]
        self.fault(
            cell, text, "unknown-reference", near,
            expected=" ou ".join(classes), suggestion=suggestion.fr,
        )  # fmt: skip

    def link(self, subjects: list[Subject]) -> None:
        """Link the parts of a row with the entities before them."""
        for part in self.layout.sheet.parts:
            made = next((s for s in subjects[1:] if s.member.shape.iri == part.shape), None)
            if made is None:
                continue
            others = [s for s in subjects if s is not made]
            self._link(made, others, part.link)
            if part.inverse_link:
                self._link(made, others, part.inverse_link)

    def _link(self, made: Subject, others: list[Subject], link: NamedNode) -> None:
        shape = self.schema.property(link)
        if self.schema.has_property(made.member.shape, link):
            target = self._target(link, others)
            if target is not None:
                self._linked_fact(made.iri, shape, target)
            return
        for other in others:
            if self.schema.has_property(other.member.shape, link):
                self._linked_fact(other.iri, shape, made.iri)

    def _linked_fact(self, subject: NamedNode, shape: PropertyShape, target: NamedNode) -> None:
        self.out.filled.add((subject, shape.predicate))
        self.add(subject, shape.predicate, target, None)

    # Cells and faults

    def cells(
        self, shape: PropertyShape, row: Row, only: tuple[str, str] | None
    ) -> list[tuple[Column, str]]:
        """Return the columns of a property with their text in this row."""
        found = self.columns.get(shape.iri)
        if found is None:
            found = self.columns[shape.iri] = self.layout.column(shape)
        if only is not None and shape.name.fr == only[0]:
            return [(found[0], only[1])]
        return [(column, self._text(column, row)) for column in found]

    def _text(self, column: Column, row: Row) -> str:
        if column.index is None:
            return column.constant
        return row.cells[column.index] if column.index < len(row.cells) else ""

    def cell(self, row: Row, column: Column) -> Cell:
        return self.table.cell(row.line, column.number, column.heading)

    def add(self, subject: NamedNode, predicate: NamedNode, term: Term, cell: Cell | None) -> None:
        self.out.quads.add(Quad(subject, predicate, term, self.graph))
        if cell is not None:
            self.out.origins[subject, predicate] = cell

    def fault(
        self, cell: Cell, read: str, code: str, candidates: Iterable[str] = (), **facts: object
    ) -> None:
        listed = tuple(candidates)
        facts.setdefault("candidates", ", ".join(listed))
        text = message(code, read=read, **facts)
        self.out.problems.append(Problem(cell, Severity.ERROR, read, text, code, listed))

    def say(self, cell: Cell, severity: Severity, read: str, code: str, **facts: object) -> None:
        text = message(code, read=read, **facts)
        self.out.problems.append(Problem(cell, severity, read, text, code))

    def _refuse_contradictions(self, rows: list[list[Subject]]) -> None:
        """Two rows of one entity must say the same."""
        seen: dict[NamedNode, Row] = {}
        for subjects in rows:
            iri, row = subjects[0].iri, subjects[0].row
            first = seen.setdefault(iri, row)
            if first is not row and first.cells != row.cells:
                self.fault(
                    self.table.cell(row.line), "", "duplicate-key",
                    key=iri.value.rpartition("/")[2], first=first.line, second=row.line,
                )  # fmt: skip


def _read_as(shape: PropertyShape, text: str) -> str:
    """Return what is read where coordinators type something else (`thc:synonym`)."""
    for typed, read in shape.synonyms.items():
        if folded(typed) == folded(text):
            return read
    return text
