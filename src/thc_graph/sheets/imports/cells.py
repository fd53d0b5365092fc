"""Cells: what a row says under each property's heading, and the place to point at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from pyoxigraph import NamedNode

from thc_graph.names.words import folded
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape
from thc_graph.sheets.cells import dates
from thc_graph.sheets.columns.layout import Column, Layout
from thc_graph.sheets.problems import Cell, Problem, Remark, Severity, Unreadable, message
from thc_graph.sheets.tables.reading import Row, Table


class Share(NamedTuple):
    """The part of a cell that one entity of several made by a row has for itself."""

    heading: str
    text: str


Found = list[tuple[Column, str]]


@dataclass
class Cells:
    """The cells of a recognised table; what is said of them is kept in `problems`."""

    table: Table
    layout: Layout
    schema: Schema
    problems: list[Problem] = field(default_factory=list)
    _columns: dict[NamedNode, tuple[Column, ...]] = field(default_factory=dict)
    _synonyms: dict[NamedNode, Mapping[str, str]] = field(default_factory=dict)

    def columns(self, shape: PropertyShape) -> tuple[Column, ...]:
        found = self._columns.get(shape.iri)
        if found is None:
            found = self._columns[shape.iri] = self.layout.column(shape)
        return found

    def of(self, shape: PropertyShape, row: Row, only: Share | None = None) -> Found:
        """Return the columns of a property with their text in this row."""
        columns = self.columns(shape)
        if not columns and shape.read_in is not None:
            return self._told_in(self.schema.property(shape.read_in), row)
        if only is not None and columns and shape.name.fr == only.heading:
            return [(columns[0], only.text)]
        return [(column, self.text(column, row)) for column in columns]

    def _told_in(self, other: PropertyShape, row: Row) -> Found:
        """Return the date that a comment opens with, for a sheet without a column of dates."""
        found = ((column, dates.inside(text)) for column, text in self.of(other, row))
        return [(column, text) for column, text in found if text][:1]

    def first(self, shape: PropertyShape, row: Row, only: Share | None = None) -> str:
        """Return the first text there is for a property, read as its synonyms say."""
        text = next((text for _, text in self.of(shape, row, only) if text), "")
        return self.read_as(shape, text) if text else ""

    def text(self, column: Column, row: Row) -> str:
        if column.index is None:
            return column.constant
        text = row.cells[column.index] if column.index < len(row.cells) else ""
        mend = self._mends.get(column.index)
        return mend(text) if mend else text

    @cached_property
    def _mends(self) -> Mapping[int, Callable[[str], str]]:
        return {
            column.index: self.layout.read_as[name]
            for name, columns in self.layout.columns.items()
            for column in columns
            if column.index is not None and name in self.layout.read_as
        }

    def read_as(self, shape: PropertyShape, text: str) -> str:
        """Return what is read where coordinators type something else (`thc:synonym`)."""
        if not shape.synonyms:
            return text
        known = self._synonyms.get(shape.iri)
        if known is None:
            known = {folded(typed): read for typed, read in shape.synonyms.items()}
            self._synonyms[shape.iri] = known
        return known.get(folded(text), text)

    def departement(self, row: Row) -> str:
        column = self.layout.departement
        return self.text(column, row) if column else ""

    def place(self, row: Row, column: Column | None = None) -> Cell:
        if column is None:
            return self.table.cell(row.line)
        return self.table.cell(row.line, column.number, column.heading)

    # What is said

    def fault(
        self, cell: Cell, read: str, code: str, candidates: tuple[str, ...] = (), **facts: object
    ) -> None:
        facts.setdefault("candidates", ", ".join(candidates))
        text = message(code, read=read, **facts)
        self.problems.append(Problem(cell, Severity.ERROR, read, text, code, candidates))

    def unreadable(self, cell: Cell, read: str, fault: Unreadable) -> None:
        self.fault(cell, read, fault.code, fault.candidates, **fault.facts)

    def say(self, cell: Cell, read: str, remark: Remark) -> None:
        text = message(remark.code, read=read, **remark.facts)
        self.problems.append(Problem(cell, remark.severity, read, text, remark.code))
