"""Pages: the sheets of a workbook, before any format: cells, lists, checks, help.

Codes stay text, so that no program eats their leading zeros; no text is ever written
as a formula. The help of a column is a prompt, not a comment: comments are for people.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from thc_graph import __version__
from thc_graph.schema.shapes import PropertyShape
from thc_graph.sheets.columns.template import EXAMPLE, Column, Kind, Template
from thc_graph.sheets.problems import message

SPARE: Final = 1000  # rows below the data that are still checked as they are typed

_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?")


@dataclass(frozen=True)
class Page:
    """A sheet of a workbook: a template, with an example where it has no rows."""

    template: Template
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def name(self) -> str:
        """The sheet's label, as every spreadsheet program takes it."""
        return re.sub(r"[\[\]:*?/\\]", "-", self.template.sheet.label.fr)[:31]

    @property
    def headings(self) -> list[str]:
        return [f"{each.name} *" if each.is_required else each.name for each in self.columns]

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.template.columns

    @property
    def example(self) -> list[str]:
        """The row that is shown and never read, none where there are data."""
        return [] if self.rows else [EXAMPLE, *(each.example for each in self.columns[1:])]

    @property
    def height(self) -> int:
        return len(self.rows) + SPARE


def properties(pages: Sequence[Page], source: str) -> dict[str, str]:
    """Return what a workbook says of itself, to programs."""
    slugs = " ".join(page.template.sheet.slug for page in pages)
    return {"thc-modele": slugs, "thc-version": __version__, "thc-source": source}


def lists(pages: Sequence[Page]) -> dict[str, tuple[str, ...]]:
    return {name: found for page in pages for name, found in page.template.lists.items()}


def readme(pages: Sequence[Page]) -> Iterator[list[str]]:
    """Yield the rows of « Lisez-moi »: how to fill, then every column with its help."""
    yield from ([line] for line in message("template-readme").fr.splitlines())
    for page in pages:
        sheet = page.template.sheet
        yield []
        yield [sheet.label.fr, sheet.description.fr]
        for column, name in zip(page.columns, page.headings, strict=True):
            example = f"Par exemple : {column.example}" if column.example else ""
            yield ["", name, column.help.fr, example]


def value(text: str, kind: Kind) -> str | float | date:
    """Return a cell's value: a date or a number only where nothing is lost by it."""
    if kind is Kind.NUMBER and _PLAIN_NUMBER.fullmatch(text):
        return float(text) if len(text.replace(".", "")) <= 15 else text  # noqa: PLR2004
    if kind is Kind.DATE and re.fullmatch(r"(?:19|2\d)\d\d-\d\d-\d\d", text):
        return date.fromisoformat(text)
    return text


def bounds(shape: PropertyShape | None) -> tuple[float, float] | None:
    """Return the bounds of a number, where it has both."""
    if shape is None or shape.minimum is None or shape.maximum is None:
        return None
    return shape.minimum, shape.maximum


def width(column: Column, rows: Sequence[Sequence[str]], place: int) -> float:
    """Return a sensible width, in characters."""
    longest = max((len(row[place]) for row in rows[:200]), default=len(column.example))
    return float(min(max(len(column.name) + 3, longest, 10), 50))


def as_csv(page: Page) -> bytes:
    """Return the columns, without marks, and the rows; UTF-8, comma, RFC 4180."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([each.name for each in page.columns])
    writer.writerows(page.rows)
    return out.getvalue().encode("utf-8")
