"""Conversion: the rows of sheets as quads, each with the cell it came from.

Two passes: first every row's entities are named and made known, so that rows of
the same publication may refer to one another; then their cells are read.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.names.names import Names
from thc_graph.rdf.terms import DASH, SKOS, A, Term
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape
from thc_graph.sheets.cells import cleaning, coordinates, values
from thc_graph.sheets.cells.values import Period
from thc_graph.sheets.columns.layout import Column, Layout
from thc_graph.sheets.imports import rows
from thc_graph.sheets.imports.cells import Cells, Found
from thc_graph.sheets.imports.converted import Conversion
from thc_graph.sheets.imports.datasets import Input
from thc_graph.sheets.imports.naming import Naming, Subject
from thc_graph.sheets.imports.references import References
from thc_graph.sheets.problems import Cell, Unreadable, note, warning
from thc_graph.sheets.tables.reading import Row, Table
from thc_graph.store.progress import Progress, Steps, silent

_ALT_LABEL = SKOS["altLabel"]
_NOBODY = NamedNode("urn:thc:unnamed")


@dataclass(frozen=True)
class Given:
    """A recognised table, and the graph that what it says is for.

    `declared` are rows of the mapping, not of the file.
    """

    table: Table
    layout: Layout
    graph: NamedNode
    input: Input
    declared: bool = False

    @property
    def header(self) -> int:
        """The line of the headings, as a person sees it; 0 where there is none."""
        return self.table.rows[self.layout.place].line if self.table.rows else 0


def convert_all(
    given: Sequence[Given], names: Names, schema: Schema, progress: Progress = silent
) -> list[Conversion]:
    """Convert tables that may refer to one another; each may name entities by those before it."""
    steps = Steps(progress, "converting", 2 * sum(len(each.layout.rows) for each in given))
    converters = [_Converter(each, names, schema, steps) for each in given]
    for converter in converters:
        converter.name()
    return [converter.convert() for converter in converters]


class _Converter:
    def __init__(self, given: Given, names: Names, schema: Schema, steps: Steps) -> None:
        self.steps = steps
        self.layout, self.graph = given.layout, given.graph
        self.names, self.schema = names, schema
        self.out = Conversion(problems=list(given.table.notes))
        self.cells = Cells(given.table, given.layout, schema, self.out.problems)
        self.naming = Naming(self.cells, names, schema, given.graph)
        self.references = References(self.cells, names, schema)
        self.subjects: list[list[Subject]] = []
        # Their cells are judged all the same, to tell why, or what else is wrong once that is told.
        self.unnamed: list[tuple[Row, bool]] = []
        self.readable: dict[NamedNode, tuple[PropertyShape, ...]] = {}

    def name(self) -> None:
        """Tell what is left out, and name the entities of every row."""
        table, layout = self.cells.table, self.layout
        header = table.rows[layout.place] if table.rows else Row(1, ())
        for columns, code in ((layout.ignored, "ignored-column"), (layout.unread, "unread-column")):
            for column in columns:
                cell = self.cells.place(header, column)
                self.cells.say(cell, "", note(code, sheet=layout.sheet.label.fr))
        self.out.problems.extend(rows.titles(table, layout))
        seen: dict[NamedNode, Row] = {}
        for row in rows.entities(table, layout, self.out.problems):
            self.steps.step()
            told, is_named = len(self.out.problems), False
            for subjects in self.naming.subjects(row):
                is_named = True
                for each in subjects:
                    self.out.rows.setdefault(each.iri, table.cell(row.line))
                if self._is_first(subjects, seen):
                    self.subjects.append(subjects)
            if not is_named:
                self.unnamed.append((row, told < len(self.out.problems)))

    def _is_first(self, subjects: list[Subject], seen: dict[NamedNode, Row]) -> bool:
        """Two rows of one entity must say the same; the second one then adds nothing."""
        iri, row = subjects[0].iri, subjects[0].row
        first = seen.setdefault(iri, row)
        if first is row:
            return True
        cell = self.cells.place(row)
        key = self.names.key(iri)
        told = " ; ".join(_differences(self.layout, first, row))
        if not told:
            typed = {r.cells for r in self.layout.rows if r.line in (first.line, row.line)}
            say = note if len(typed) == 1 else warning
            self.cells.say(cell, "", say("merged", key=key, first=first.line))
            return False
        self.cells.fault(
            cell, "", "duplicate-key", key=key, told=told, first=first.line, second=row.line
        )
        return True

    def convert(self) -> Conversion:
        for subjects in self.subjects:
            self.steps.step()
            for subject in subjects:
                self.fill(subject)
            self.link(subjects)
        self.out.quads.update(self.naming.aliases)
        for row, is_told in self.unnamed:
            self._judge(row, is_told=is_told)
        return self.out

    def _judge(self, row: Row, *, is_told: bool) -> None:
        """Tell what is wrong in the cells of a row that describes nothing we could name."""
        told, main = len(self.out.problems), self.layout.members[0]
        class_ = self.naming.class_of(main, row)
        del self.out.problems[told:]  # it was told when the row was to be named
        if class_ is not None:
            kept = self.out
            self.out = Conversion(problems=kept.problems, rivals=kept.rivals)
            self.fill(Subject(_NOBODY, class_, main, row))
            self.out = kept
            if not is_told and not self.naming.is_told(class_, row, self.out.problems[told:]):
                self.naming.refuse(class_, row)

    def fill(self, subject: Subject) -> None:
        """Read every cell of an entity."""
        self.add(subject.iri, A, subject.class_, None)
        shapes = self._readable(subject.class_)
        for shape in shapes:
            for column, text in self._found(shape, subject):
                self._fill(subject, shape, column, text)
        if any(shape.format == "latitude" for shape in shapes):
            self._doubt_point(subject, shapes)

    def _readable(self, class_: NamedNode) -> tuple[PropertyShape, ...]:
        """Return the properties of a class that some cell of this table may fill."""
        if class_ not in self.readable:
            shapes = [
                each
                for each in self.schema.properties_of(class_)
                if each.is_column and each.predicate != A
            ]
            for each in shapes:
                rivals = self.out.rivals.setdefault(each.predicate, [])
                rivals.extend([] if each in rivals else [each])
            self.readable[class_] = tuple(
                each
                for each in shapes
                if self.cells.columns(each) or each.default_cell or each.read_in
            )
        return self.readable[class_]

    def _found(self, shape: PropertyShape, subject: Subject) -> Found:
        found = self.cells.of(shape, subject.row, subject.only)
        if found and shape.read_in and not self.cells.columns(shape):
            cell = self.cells.place(subject.row, found[0][0])
            self.cells.say(cell, found[0][1], note("date-in-text"))
        if shape.default_cell and not any(text for _, text in found) and self._is_new(subject):
            found = [(Column(shape.name.fr, None), shape.default_cell)]
        return found

    def _is_new(self, subject: Subject) -> bool:
        """A blank cell of what is published already changes nothing."""
        return self.names.lexicon.thing(subject.iri) is None

    def _fill(self, subject: Subject, shape: PropertyShape, column: Column, text: str) -> None:
        predicate = shape.predicate
        cell = self.cells.place(subject.row, column)
        self.out.origins.setdefault(subject.iri, {}).setdefault(predicate, cell)
        if not text or values.is_nothing(text, shape):
            return
        self.out.fill(subject.iri, predicate, column.language)
        if len(self.out.rivals[predicate]) > 1:
            self.out.owners.setdefault((subject.iri, predicate), set()).add(shape.iri)
        if text == values.DELETE:
            return
        text = self._completed(subject, shape, cell, self.cells.read_as(shape, text))
        for each in values.split(text, shape):
            for term in self.terms(each, shape, column, subject, cell):
                self.add(subject.iri, predicate, term, cell)
                if shape.inverse_link is not None and isinstance(term, NamedNode):
                    inverse = self.schema.property(shape.inverse_link).predicate
                    self.add(term, inverse, subject.iri, None)

    def _completed(self, subject: Subject, shape: PropertyShape, cell: Cell, text: str) -> str:
        """Complete a code that lost its leading zeros, and say so."""
        if not text.isdigit():
            return text
        length = self.schema.code_length(subject.class_, shape.predicate)
        if len(text) >= length:
            return text
        self.cells.say(cell, text, note("padded", value=text.zfill(length)))
        return text.zfill(length)

    def terms(
        self, text: str, shape: PropertyShape, column: Column, subject: Subject, cell: Cell
    ) -> Iterator[Term]:
        """Yield the terms one value says: none, with its fault told, when it says none."""
        if shape.classes or shape.scheme:
            yield from self.references.read(text, shape, subject.row, cell)
            return
        try:
            if shape.is_iri:
                known = self.names.find(text, shape) if ":" not in text else []
                reading = (
                    values.Reading(known[0]) if len(known) == 1 else values.read_link(text, shape)
                )
            else:
                reading = values.read(text, shape, column.language)
        except Unreadable as fault:
            self.cells.unreadable(cell, text, fault)
            return
        for remark in reading.remarks:
            self.cells.say(cell, text, remark)
        if isinstance(reading.term, Period):
            yield from self._within(reading.term, text, shape, subject, cell)
        elif reading.term is not None:
            if shape.role == DASH["LabelRole"] and cleaning.has_pictographs(text):
                self.add(subject.iri, _ALT_LABEL, Literal(text, language=column.language), cell)
            yield reading.term

    def _within(
        self, period: Period, text: str, shape: PropertyShape, subject: Subject, cell: Cell
    ) -> Iterator[Literal]:
        """Yield a period's side that the property takes, and fill its other side where empty."""
        shapes = self.schema.properties_of(subject.class_)
        end = next((each for each in shapes if each.iri in shape.ends), None)
        start = next((each for each in shapes if shape.iri in each.ends), None)
        other = end or start
        if other is None:
            self.cells.fault(cell, text, "no-period")
            return
        yield period.first if end else period.last
        if not any(found for _, found in self.cells.of(other, subject.row)):
            self.out.fill(subject.iri, other.predicate)
            side = period.last if end else period.first
            self.add(subject.iri, other.predicate, side, cell)

    def _doubt_point(self, subject: Subject, shapes: tuple[PropertyShape, ...]) -> None:
        """Drop a point that is nowhere; refuse one whose two numbers are swapped."""
        found: dict[str | None, tuple[PropertyShape, Column, str, Literal]] = {}
        for shape in shapes:
            if shape.format in {"latitude", "longitude"}:
                for column, text in self.cells.of(shape, subject.row):
                    with suppress(Unreadable):
                        found[shape.format] = shape, column, text, values.literal(text, shape, "fr")
        if len(found) < 2:  # noqa: PLR2004
            return
        latitude, longitude = found["latitude"], found["longitude"]
        code = coordinates.doubt(float(latitude[3].value), float(longitude[3].value))
        cell = self.cells.place(subject.row, latitude[1])
        read = f"{latitude[2]} ; {longitude[2]}"
        if code == "swapped":
            abroad = self.schema.kind_of(subject.class_) == "territoire"
            self.cells.say(cell, read, warning(code)) if abroad else self.cells.fault(
                cell, read, code
            )
        elif code is not None:
            self.cells.say(cell, read, warning(code))
            for shape, _, _, literal in found.values():
                self.out.quads.discard(Quad(subject.iri, shape.predicate, literal, self.graph))

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
            target = self.naming.target(link, others)
            if target is not None:
                self._linked_fact(made.iri, shape, target)
            return
        for other in others:
            if self.schema.has_property(other.member.shape, link):
                self._linked_fact(other.iri, shape, made.iri)

    def _linked_fact(self, subject: NamedNode, shape: PropertyShape, target: NamedNode) -> None:
        self.out.fill(subject, shape.predicate)
        self.add(subject, shape.predicate, target, None)

    def add(self, subject: NamedNode, predicate: NamedNode, term: Term, cell: Cell | None) -> None:
        self.out.quads.add(Quad(subject, predicate, term, self.graph))
        if cell is not None:
            self.out.origins.setdefault(subject, {})[predicate] = cell


def _differences(layout: Layout, first: Row, second: Row) -> Iterator[str]:
    """Yield the headings that are read and under which two rows differ, with what each says."""
    for place in sorted(layout.used):
        one, other = (row.cells[place] if place < len(row.cells) else "" for row in (first, second))
        if one != other:
            yield f"{layout.heading(place)} : « {one} » / « {other} »"
