"""What the import tells a coordinator: which cell, what was read, what is wrong, what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from string import ascii_uppercase
from typing import Any, NamedTuple

import yaml

from thc_graph.schema.shapes import Text


class Severity(StrEnum):
    """NOTE: fixed and said. WARNING: accepted, to be looked at. ERROR: refused."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


class Cell(NamedTuple):
    """A place in a sheet, as a person sees it: `line` and `column` count from 1."""

    file: str
    line: int
    column: int | None = None
    heading: str = ""
    sheet: str = ""  # its name in a workbook

    def __str__(self) -> str:
        return self.in_("fr")

    def in_(self, language: str) -> str:
        """Return the place as a person finds it: `Engagements!D12`, or the row."""
        row = message("row", line=self.line).in_(language)
        place = f"{letters(self.column)}{self.line}" if self.column else row
        return f"{self.sheet or self.file}!{place}" if self.line else self.file


@dataclass(frozen=True)
class Problem:
    """One thing to say about one cell; or about `entity`, an IRI, that stands in no cell."""

    cell: Cell
    severity: Severity
    read: str
    message: Text
    code: str
    candidates: tuple[str, ...] = ()
    entity: str = ""

    def as_dict(self, language: str) -> dict[str, object]:
        return {
            "cell": self.cell.in_(language),
            "line": self.cell.line,
            "column": self.cell.heading,
            "severity": self.severity.value,
            "code": self.code,
            "read": self.read,
            "message": self.message.in_(language),
            "candidates": list(self.candidates),
            **({"entity": self.entity} if self.entity else {}),
        }


def letters(column: int) -> str:
    """Return a column's letters: 1 is A, 27 is AA."""
    name = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        name = ascii_uppercase[rest] + name
    return name


def message(code: str, **facts: object) -> Text:
    """Return the catalogue's sentence for `code`, in both languages, as its Text facts are."""
    return Text(fr=_said(code, "fr", facts), en=_said(code, "en", facts))


def _said(code: str, language: str, facts: Mapping[str, object]) -> str:
    told = {k: v.in_(language) if isinstance(v, Text) else v for k, v in facts.items()}
    return _catalogue()[code][language].format(**told).strip()


@cache
def _catalogue() -> Mapping[str, Mapping[str, str]]:
    text = files("thc_graph.sheets").joinpath("messages.yaml").read_text("utf-8")
    found: Mapping[str, Mapping[str, str]] = yaml.safe_load(text)
    return found


class Remark(NamedTuple):
    """Something to say of a value that is read all the same; `code` names the message."""

    code: str
    severity: Severity = Severity.NOTE
    facts: Mapping[str, Any] = {}


class Unreadable(ValueError):
    """The cell does not say a value of this type; `code` names the message."""

    def __init__(self, code: str, candidates: tuple[str, ...] = (), **facts: object) -> None:
        super().__init__(code)
        self.code, self.candidates, self.facts = code, candidates, facts


def note(code: str, **facts: object) -> Remark:
    return Remark(code, Severity.NOTE, facts)


def warning(code: str, **facts: object) -> Remark:
    return Remark(code, Severity.WARNING, facts)
