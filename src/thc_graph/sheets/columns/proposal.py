"""Proposing: a mapping for a sheet with foreign headings, and what is unsure in it.

Nothing here decides: a person reads the proposal, mends it and gives it to the import.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from thc_graph.names.words import heading
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape, Sheet
from thc_graph.sheets.cells import values
from thc_graph.sheets.cells.values import Unreadable
from thc_graph.sheets.columns.layout import IDENTIFIER, members
from thc_graph.sheets.tables.reading import Table

SURE, ALIKE = 100.0, 72.0  # likeness of two headings, out of 100
SEEN = 50  # rows whose cells are looked at


@dataclass
class Proposed:
    """A mapping as `--mapping` takes it; `unsure` and `left` are foreign headings."""

    sheet: Sheet
    columns: dict[str, str] = field(default_factory=dict)
    unsure: dict[str, float] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def mapping(self) -> dict[str, object]:
        return {"sheet": self.sheet.slug, "columns": self.columns}


def proposed(table: Table, schema: Schema, sheet: str | None = None) -> Proposed:
    """Return the mapping that gives most columns of a table a heading of ours."""
    sheets = [schema.sheets[sheet]] if sheet else list(schema.sheets.values())
    return max((_for(table, each, schema) for each in sheets), key=_worth)


def _worth(found: Proposed) -> tuple[float, float]:
    sure = len(found.columns) - len(found.unsure)
    return sure + sum(found.unsure.values()) / 200 - len(found.missing), -found.sheet.order


def _for(table: Table, sheet: Sheet, schema: Schema) -> Proposed:
    found = Proposed(sheet)
    shapes = {s.name.fr: s for m in members(sheet, schema)[:1] for s in m.properties}
    header = table.rows[0].cells if table.rows else ()
    ranked = sorted(_likenesses(table, header, shapes), reverse=True)
    for score, foreign, ours in ranked:
        if foreign not in found.columns and ours not in found.columns.values():
            found.columns[foreign] = ours
            if score < SURE:
                found.unsure[foreign] = score
    found.columns = {name: found.columns[name] for name in header if name in found.columns}
    found.left = [name for name in header if name and name not in found.columns]
    found.missing = [
        shape.name.fr
        for shape in shapes.values()
        if shape.min_count and shape.default is None and shape.name.fr not in found.columns.values()
    ]
    return found


def _likenesses(
    table: Table, header: tuple[str, ...], shapes: dict[str, PropertyShape]
) -> Iterator[tuple[float, str, str]]:
    """Yield (likeness, foreign heading, ours), for those whose cells look right as well."""
    for place, foreign in enumerate(header):
        if not foreign:
            continue
        if heading(foreign) in ("identifiant", "identifier", "id", "uid"):
            yield SURE, foreign, IDENTIFIER
        for ours, shape in shapes.items():
            names = (ours, shape.name.en, *shape.variants)
            score = max(_likeness(heading(foreign), heading(name)) for name in names)
            if score >= ALIKE and _looks_right(table, place, shape):
                yield score, foreign, ours


def _likeness(foreign: str, ours: str) -> float:
    """A heading that holds all the words of ours may be it, and may be something else."""
    return max(fuzz.token_sort_ratio(foreign, ours), 0.8 * fuzz.token_set_ratio(foreign, ours))


def _looks_right(table: Table, place: int, shape: PropertyShape) -> bool:
    """Say whether at least half of a column's cells can be read as the property's type."""
    if shape.classes or shape.scheme or shape.is_iri:
        return True
    cells = [row.cells[place] for row in table.rows[1:SEEN] if row.cells[place : place + 1]]
    filled = [cell for cell in cells if cell and not values.is_nothing(cell)]
    return 2 * sum(_is_read(cell, shape) for cell in filled) >= len(filled)


def _is_read(cell: str, shape: PropertyShape) -> bool:
    try:
        values.read(cell, shape, "fr")
    except Unreadable:
        return False
    return True
