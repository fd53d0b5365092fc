"""What the import tells a coordinator: which cell, what was read, what is wrong, what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from string import ascii_uppercase

import yaml

from thc_graph.schema.model import Text


class Severity(StrEnum):
    """NOTE: fixed and said. WARNING: accepted, to be looked at. ERROR: refused."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Cell:
    """A place in a sheet, as a person sees it: `line` and `column` count from 1."""

    file: str
    line: int
    column: int | None = None
    heading: str = ""
    sheet: str = ""  # its name in a workbook

    def __str__(self) -> str:
        place = f"{letters(self.column)}{self.line}" if self.column else f"ligne {self.line}"
        return f"{self.sheet or self.file}!{place}"


@dataclass(frozen=True)
class Problem:
    """One thing to say about one cell."""

    cell: Cell
    severity: Severity
    read: str
    message: Text
    code: str
    candidates: tuple[str, ...] = ()

    def as_dict(self, language: str) -> dict[str, object]:
        return {
            "cell": str(self.cell),
            "line": self.cell.line,
            "column": self.cell.heading,
            "severity": self.severity.value,
            "code": self.code,
            "read": self.read,
            "message": self.message.in_(language),
            "candidates": list(self.candidates),
        }


def letters(column: int) -> str:
    """Return a column's letters: 1 is A, 27 is AA."""
    name = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        name = ascii_uppercase[rest] + name
    return name


def message(code: str, **facts: object) -> Text:
    """Return the catalogue's sentence for `code`, in both languages."""
    spoken = _catalogue()[code]
    return Text(fr=spoken["fr"].format(**facts).strip(), en=spoken["en"].format(**facts).strip())


@cache
def _catalogue() -> Mapping[str, Mapping[str, str]]:
    text = files("thc_graph.sheets").joinpath("messages.yaml").read_text("utf-8")
    found: Mapping[str, Mapping[str, str]] = yaml.safe_load(text)
    return found
