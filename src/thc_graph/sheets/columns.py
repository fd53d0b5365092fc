"""Columns: which sheet a table is, and which property each heading fills.

Headings come from the shapes (`sh:name`, `thc:variant`); a declared mapping may
give ours for foreign ones, and constants for columns the table does not have.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pyoxigraph import NamedNode

from thc_graph.errors import SheetError
from thc_graph.schema.model import NodeShape, PropertyShape, Schema, Sheet
from thc_graph.sheets.problems import message
from thc_graph.sheets.reading import Row, Table
from thc_graph.sheets.words import heading

IDENTIFIER = "Identifiant"
ENGLISH = " (en)"
ENOUGH = 0.6  # of a table's headings must be a sheet's, for the table to be that sheet


@dataclass(frozen=True)
class HeadingMapping:
    """A declared mapping: foreign headings → ours, constants, rows to load first."""

    sheet: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, list[dict[str, str]]] = field(default_factory=dict)
    source: Mapping[str, str] = field(default_factory=dict)


def read_mapping(path: Path) -> HeadingMapping:
    """Read a mapping file (YAML; docs/mappings.md).

    Raises:
        SheetError: It is not one; says why.
    """
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
        return HeadingMapping(**found)
    except (yaml.YAMLError, TypeError, UnicodeDecodeError) as fault:
        raise SheetError(path.name, str(fault)) from fault


@dataclass(frozen=True)
class Member:
    """One entity of a row: the sheet's main one or a part, with the classes it may have."""

    shape: NodeShape
    classes: tuple[NamedNode, ...]
    properties: tuple[PropertyShape, ...]


@dataclass(frozen=True)
class Column:
    """A heading, and what it fills; `index` counts from 0, None for a constant."""

    heading: str
    index: int | None
    language: str = "fr"
    constant: str = ""

    @property
    def number(self) -> int | None:
        return None if self.index is None else self.index + 1


@dataclass(frozen=True)
class Layout:
    """A table understood: its sheet, its members, which column fills which property."""

    sheet: Sheet
    members: tuple[Member, ...]
    columns: Mapping[str, tuple[Column, ...]]  # by folded heading of ours
    ignored: tuple[Column, ...]
    rows: tuple[Row, ...]

    def column(self, shape: PropertyShape) -> tuple[Column, ...]:
        """Return the columns that fill a property: one a language at most."""
        names = (shape.name.fr, *shape.variants)
        return next((self.columns[h] for h in map(heading, names) if h in self.columns), ())

    @property
    def identifier(self) -> Column | None:
        return next(iter(self.columns.get(heading(IDENTIFIER), ())), None)


def layout(
    table: Table, schema: Schema, sheet: str | None = None, mapping: HeadingMapping | None = None
) -> Layout:
    """Recognise a table.

    Args:
        sheet: The slug of its sheet, where it is known; otherwise it is recognised.

    Raises:
        SheetError: No sheet has these headings.
    """
    mapping = mapping or HeadingMapping()
    chosen = _chosen(sheet or mapping.sheet, table, schema)
    candidates = [chosen] if chosen else list(schema.sheets.values())
    found = _scores(table, candidates, schema, mapping)
    place, score, _, best = max(found, key=lambda each: (each[1], each[2], -each[0]))
    if score < ENOUGH and not chosen:
        headers = ", ".join(cell for cell in table.rows[0].cells if cell) if table.rows else ""
        raise SheetError(table.file, message("no-layout", headers=headers[:300]).fr)
    return _layout(table, place, best, schema, mapping)


def _chosen(slug: str | None, table: Table, schema: Schema) -> Sheet | None:
    if slug is None:
        return None
    if slug not in schema.sheets:
        known = ", ".join(schema.sheets)
        raise SheetError(table.file, message("unknown-sheet", sheet=slug, known=known).fr)
    return schema.sheets[slug]


def _scores(
    table: Table, sheets: Iterable[Sheet], schema: Schema, mapping: HeadingMapping
) -> Iterator[tuple[int, float, float, Sheet]]:
    """Yield (row of headings, share known, share known to the main entity, sheet)."""
    ours = {heading(k): heading(v) for k, v in mapping.columns.items()}
    for sheet in sheets:
        made = members(sheet, schema)
        known, own = set(_headings(made)), set(_headings(made[:1]))
        for place, row in enumerate(table.rows[:10]):
            found = [ours.get(name, name) for name in map(heading, filter(None, row.cells))]
            yield place, _share(found, known), _share(found, own), sheet
        if not table.rows:
            yield 0, 0.0, 0.0, sheet


def _share(found: list[str], known: set[str]) -> float:
    """Return how much of the headings is known; one heading alone proves nothing."""
    return sum(name in known for name in found) / max(len(found), 2)


def members(sheet: Sheet, schema: Schema) -> tuple[Member, ...]:
    """Return what a row of the sheet makes: the main entity first."""
    shapes = [schema.shapes[sheet.row], *(schema.shapes[part.shape] for part in sheet.parts)]
    return tuple(_member(shape, schema) for shape in shapes)


def _member(shape: NodeShape, schema: Schema) -> Member:
    target = shape.target or shape.iri
    classes = tuple(c for c in schema.concrete(target) if schema.naming(c))
    found: dict[NamedNode, PropertyShape] = {}
    for class_ in (target, *classes):
        for each in schema.properties_of(class_):
            if each.is_column:
                found.setdefault(each.iri, each)
    return Member(shape, classes, tuple(found.values()))


def _headings(found: Iterable[Member]) -> Iterator[str]:
    yield heading(IDENTIFIER)
    for member in found:
        for each in member.properties:
            yield from map(heading, (each.name.fr, *each.variants))


def _layout(
    table: Table, place: int, sheet: Sheet, schema: Schema, mapping: HeadingMapping
) -> Layout:
    made = members(sheet, schema)
    known = set(_headings(made))
    columns: dict[str, list[Column]] = {}
    ignored: list[Column] = []
    for column, name in _columns(table.rows[place] if table.rows else None, mapping):
        if heading(name) in known:
            columns.setdefault(heading(name), []).append(column)
        else:
            ignored.append(column)
    for name, constant in mapping.constants.items():
        columns.setdefault(heading(name), [Column(name, None, constant=str(constant))])
    return Layout(
        sheet=sheet,
        members=made,
        columns={name: tuple(found) for name, found in columns.items()},
        ignored=tuple(ignored),
        rows=table.rows[place + 1 :],
    )


def _columns(header: Row | None, mapping: HeadingMapping) -> Iterator[tuple[Column, str]]:
    """Yield each column of the table with the heading of ours it stands for."""
    ours = {heading(foreign): name for foreign, name in mapping.columns.items()}
    for index, cell in enumerate(header.cells if header else ()):
        if cell:
            name = ours.get(heading(cell), cell)
            language = "en" if name.casefold().endswith(ENGLISH) else "fr"
            yield Column(cell, index, language), name
