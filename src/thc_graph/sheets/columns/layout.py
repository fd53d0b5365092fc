"""Columns: which sheet a table is, and which property each heading fills.

Headings come from the shapes (`sh:name`, `thc:variant`); a declared mapping may
give ours for foreign ones, and constants for columns the table does not have.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from pyoxigraph import NamedNode

from thc_graph.errors import SheetError
from thc_graph.names.words import folded, heading
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import NodeShape, PropertyShape, Sheet
from thc_graph.sheets.columns.mapping import HeadingMapping
from thc_graph.sheets.problems import message
from thc_graph.sheets.tables.reading import Row, Table

IDENTIFIER = "Identifiant"
ENGLISH = " (en)"
README, LISTS = "Lisez-moi", "Listes"  # the sheets of our own workbooks that hold no data
_NOT_OURS: Final = frozenset({"rapport"})  # the column that an annotated workbook adds
ENOUGH = 0.6  # of a table's headings must be a sheet's, for the table to be that sheet


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
    """A table understood: its sheet, its members, which column fills which property.

    `place` counts the rows above the headings; `read_as` mends cells, by heading.
    """

    sheet: Sheet
    members: tuple[Member, ...]
    columns: Mapping[str, tuple[Column, ...]]  # by folded heading of ours
    ignored: tuple[Column, ...]
    colliding: tuple[Column, ...]
    header: tuple[str, ...]
    place: int
    rows: tuple[Row, ...]
    read_as: Mapping[str, Callable[[str], str]] = field(default_factory=dict)

    def column(self, shape: PropertyShape) -> tuple[Column, ...]:
        """Return the columns that fill a property: one a language at most."""
        found: dict[str, Column] = {}
        for name in _spelt((shape.name.fr, *shape.variants)):
            for each in self.columns.get(name, ()):
                found.setdefault(each.language, each)
        return tuple(found.values())

    @cached_property
    def unread(self) -> tuple[Column, ...]:
        """The columns whose property another column fills already."""
        read = {c for m in self.members for shape in m.properties for c in self.column(shape)}
        every = {c for found in self.columns.values() for c in found} - {self.identifier}
        left = {*self.colliding, *(c for c in every if c.index is not None)} - read
        return tuple(sorted(left, key=lambda column: column.number or 0))

    @property
    def identifier(self) -> Column | None:
        return next(iter(self.columns.get(heading(IDENTIFIER), ())), None)

    @cached_property
    def used(self) -> frozenset[int]:
        """The places of the columns that are read."""
        return frozenset(c.index for f in self.columns.values() for c in f if c.index is not None)

    @cached_property
    def departement(self) -> Column | None:
        """The column that tells homonyms apart, whether or not the sheet has such a property."""
        everything = (*(c for found in self.columns.values() for c in found), *self.ignored)
        return next((c for c in everything if heading(c.heading) in _DEPARTEMENT), None)

    def heading(self, place: int) -> str:
        return self.header[place] if place < len(self.header) else ""


_DEPARTEMENT: Final = frozenset({"departement", "dept", "dep", "dpt", "code departement"})


def layout(
    table: Table, schema: Schema, sheet: str | None = None, mapping: HeadingMapping | None = None
) -> Layout:
    """Recognise a table.

    Args:
        sheet: The slug of its sheet, where it is known; otherwise it is recognised.

    Raises:
        SheetError: No sheet has these headings.
    """
    found = recognised(table, schema, sheet, mapping)
    if found is None:
        headers = ", ".join(cell for cell in table.rows[0].cells if cell) if table.rows else ""
        raise SheetError(table.file, message("no-layout", headers=headers[:300]).fr)
    return found


def recognised(
    table: Table, schema: Schema, sheet: str | None = None, mapping: HeadingMapping | None = None
) -> Layout | None:
    """Return how a table is understood, None where no sheet has its headings."""
    mapping = mapping or HeadingMapping()
    chosen = _chosen(sheet or mapping.sheet, table, schema)
    candidates = [chosen] if chosen else list(schema.sheets.values())
    found = _scores(table, candidates, schema, mapping)
    place, score, _, best = max(found, key=lambda each: (each[1], each[2], -each[0]))
    if score < ENOUGH and (not chosen or not score):
        return None
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
            found = [name for name in found if name not in _NOT_OURS]
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
            yield from _spelt((each.name.fr, *each.variants))


def _spelt(names: Iterable[str]) -> Iterator[str]:
    """Yield headings as compared: first whole, then without what stands in brackets."""
    for name in names:
        yield folded(name)
        yield heading(name)


def _layout(
    table: Table, place: int, sheet: Sheet, schema: Schema, mapping: HeadingMapping
) -> Layout:
    made = members(sheet, schema)
    header = table.rows[place].cells if table.rows else ()
    columns, ignored, colliding = _placed(header, set(_headings(made)), mapping)
    for name, constant in mapping.constants.items():
        columns.setdefault(heading(name), [Column(name, None, constant=str(constant))])
    return Layout(
        sheet=sheet,
        members=made,
        columns={name: tuple(found) for name, found in columns.items()},
        ignored=tuple(ignored),
        colliding=tuple(colliding),
        header=header,
        place=place,
        rows=tuple(row for row in table.rows[place + 1 :] if mapping.keeps(header, row)),
        read_as=mapping.read_as(),
    )


def _placed(
    header: tuple[str, ...], known: set[str], mapping: HeadingMapping
) -> tuple[dict[str, list[Column]], list[Column], list[Column]]:
    """Return the columns by heading, those of no property, and those of a property taken."""
    columns: dict[str, list[Column]] = {}
    ignored: list[Column] = []
    colliding: list[Column] = []
    found = sorted(_columns(header, mapping), key=lambda each: folded(each[1]) not in known)
    for column, name in found:
        key = folded(name) if folded(name) in known else heading(name)
        taken = columns.get(key, ())
        if key not in known:
            ignored.extend([] if key in _NOT_OURS else [column])
        elif any(each.language == column.language for each in taken):
            colliding.append(column)
        else:
            columns.setdefault(key, []).append(column)
    return columns, ignored, colliding


def _columns(header: tuple[str, ...], mapping: HeadingMapping) -> Iterator[tuple[Column, str]]:
    """Yield each column of the table with the heading of ours it stands for."""
    ours = {heading(foreign): name for foreign, name in mapping.columns.items()}
    whole = {folded(foreign): name for foreign, name in mapping.columns.items()}
    for index, cell in enumerate(header):
        if cell:
            name = whole.get(folded(cell)) or ours.get(heading(cell), cell)
            language = "en" if name.casefold().endswith(ENGLISH) else "fr"
            yield Column(cell, index, language), name
