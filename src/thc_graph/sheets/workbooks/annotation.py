"""Annotating: the workbook given back, each fault in its cell, ready to be corrected and loaded.

A colour, a comment and a text column at the end of the row all say the same, for people
on phones and with screen readers; a first sheet lists everything with links. A .xlsx is
annotated in place, so that its formats and lists survive; any other file, or a workbook
whose lists would be lost, is written afresh, each row on the line where it was read.

What to write is worked out here; `annotator` writes it, in a child process with the
limits of the reader's, as it opens a stranger's file.
"""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from thc_graph.errors import SheetError
from thc_graph.sheets.imports.proposal import Line, Part
from thc_graph.sheets.problems import Cell, Problem, Severity, letters, message
from thc_graph.sheets.tables.reading import LIMITS
from thc_graph.store import files

TITLE: Final = "Rapport"  # in every language: the reader leaves out a sheet and column of this name
LONGEST: Final = 31  # characters of a sheet's name
_ANNOTATOR: Final = Path(__file__).with_name("annotation_child.py")
_FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\']")


@dataclass
class _Page:
    """One sheet to annotate: `lines` says where each line that was read now stands."""

    title: str
    header: int
    lines: Mapping[int, int]
    rows: list[tuple[int, tuple[str, ...]]]
    notes: dict[int, list[Problem]] = field(default_factory=lambda: defaultdict(list))


Pages = dict[tuple[str, str], _Page]  # by file and sheet


def annotate(
    parts: Sequence[Part],
    problems: Iterable[Problem],
    refused: frozenset[Line],
    path: Path,
    language: str,
) -> None:
    """Write the annotated workbook at `path`; with refused rows, those alone.

    Raises:
        SheetError: It is past a limit.
        OSError: The file cannot be written.
    """
    shown, told = [each for each in parts if not each.given.declared], list(problems)
    paths = {each.given.input.path for each in shown}
    content = None
    if not refused and len(paths) == 1 and (file := paths.pop()).suffix.casefold() == ".xlsx":
        content = _written(_plan(shown, told, refused, language, file))
    if content is None:
        content = _written(_plan(shown, told, refused, language, None))
    if content is None:
        raise SheetError(path.name, message("crashed").in_(language))
    files.replace(path, content)


def _written(plan: Mapping[str, Any]) -> bytes | None:
    """Return the workbook, None where the child cannot write it, or would lose something."""
    options = {"parent": os.getpid(), "memory": LIMITS["memory"]}
    command = [sys.executable, "-I", "-S", str(_ANNOTATOR)]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [*command, json.dumps(sys.path), json.dumps(options)],
            input=json.dumps(plan).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONUTF8": "1"},
            timeout=LIMITS["seconds"],
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def _plan(
    parts: Sequence[Part],
    problems: Sequence[Problem],
    refused: frozenset[Line],
    language: str,
    file: Path | None,
) -> dict[str, Any]:
    """Return what the child is to write: in `file`, or in a new workbook."""
    pages = _pages(parts, refused, file)
    for each in problems:
        found = _place(each.cell, pages)
        if found is not None and each.severity is not Severity.NOTE:
            page, line = found
            page.notes[line].append(each)
    return {
        "file": str(file.resolve()) if file else None,
        "title": TITLE,
        "pages": [_page(each, language, fresh=file is None) for each in pages.values()],
        "front": _front(problems, pages, language),
    }


def _pages(parts: Sequence[Part], refused: frozenset[Line], file: Path | None) -> Pages:
    pages: Pages = {}
    for each in parts:
        given = each.given
        key = given.table.file, given.table.name
        rows = {line for *place, line in refused if (*place,) == key}
        if refused and not rows:
            continue
        kept = [
            r for r in given.table.rows if not refused or r.line <= given.header or r.line in rows
        ]
        lines = {row.line: place for place, row in enumerate(kept, start=1)}
        if not refused:
            lines = {row.line: row.line for row in kept}
        title = given.table.name if file else _title(each, {page.title for page in pages.values()})
        copied = [(lines[row.line], row.cells) for row in kept]
        pages[key] = _Page(title, lines.get(given.header, 1), lines, copied)
    return pages


def _title(part: Part, taken: set[str]) -> str:
    name = part.given.table.name or Path(part.given.table.file).stem
    plain = _FORBIDDEN.sub(" ", name)[:LONGEST] or "Feuille"
    title, number = plain, 2
    while title in taken or title == TITLE:
        title = f"{plain[: LONGEST - 4]} {number}"
        number += 1
    return title


def _place(cell: Cell, pages: Pages) -> tuple[_Page, int] | None:
    page = pages.get((cell.file, cell.sheet))
    line = page.lines.get(cell.line) if page else None
    return (page, line) if page and line else None


def _page(page: _Page, language: str, *, fresh: bool) -> dict[str, Any]:
    """What was right, or mended, is left as it is: notes stand on the first sheet alone."""
    return {
        "title": page.title,
        "header": page.header,
        "rows": page.rows if fresh else [],
        "marks": [
            mark for line, told in page.notes.items() for mark in _marks(line, told, language)
        ],
        "reports": [
            {"line": line, "severity": _worst(told), "text": _words(told, language)}
            for line, told in page.notes.items()
        ],
    }


def _marks(line: int, told: Iterable[Problem], language: str) -> Iterator[dict[str, Any]]:
    """Yield a row's cells at fault, each with all that is said of it."""
    cells: dict[int, list[Problem]] = defaultdict(list)
    for each in told:
        if each.cell.column is not None:
            cells[each.cell.column].append(each)
    for column, found in cells.items():
        text = "\n".join(dict.fromkeys(each.message.in_(language) for each in found))
        yield {"line": line, "column": column, "severity": _worst(found), "text": text}


def _words(told: Iterable[Problem], language: str) -> str:
    headed = ((f"{p.cell.heading} : " if p.cell.heading else "", p) for p in told)
    return "\n".join(dict.fromkeys(head + p.message.in_(language) for head, p in headed))


def _worst(told: Iterable[Problem]) -> str:
    is_error = any(each.severity is Severity.ERROR for each in told)
    return Severity.ERROR.value if is_error else Severity.WARNING.value


def _front(problems: Sequence[Problem], pages: Pages, language: str) -> dict[str, Any]:
    """List everything, the worst first; what stands in no cell comes apart, last."""
    help_ = message("report-help")
    counts = {f"{s}s": sum(each.severity is s for each in problems) for s in Severity}
    names = ("cell", "column", "severity", "read", "message")
    listed = [_listed(each, pages, language) for each in sorted(problems, key=_order)]
    return {
        "lines": [said.in_(language) for said in (message("report-counts", **counts), help_)],
        "headings": [message(f"heading-{name}").in_(language) for name in names],
        "rows": [row for row in listed if not row["elsewhere"]],
        "elsewhere": message("elsewhere").in_(language),
        "others": [row for row in listed if row["elsewhere"]],
    }


def _order(problem: Problem) -> tuple[int, str, str, int, int]:
    cell = problem.cell
    rank = list(Severity)[::-1].index(problem.severity)
    return rank, cell.file, cell.sheet, cell.line, cell.column or 0


def _listed(problem: Problem, pages: Pages, language: str) -> dict[str, Any]:
    cell, found = problem.cell, _place(problem.cell, pages)
    place, link = cell.in_(language), ""
    if found is not None:
        page, line = found
        square = f"{letters(cell.column or 1)}{line}"
        place = f"{page.title}!{square if cell.column else line}"
        link = f"'{page.title.replace(chr(39), chr(39) * 2)}'!{square}"
    severity = message(f"severity-{problem.severity}").in_(language)
    return {
        "cells": [place, cell.heading, severity, problem.read, problem.message.in_(language)],
        "severity": problem.severity.value,
        "link": link,
        "elsewhere": not cell.line,
    }
