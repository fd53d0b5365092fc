"""What a command says: data on stdout, talk on stderr, one JSON object with --json."""

import json
import sys
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from thc_graph.sheets.problems import Problem, Severity, message

REPEATED = 5  # cells above which a fault is told once
CELLS = 3  # named for a fault that repeats
MOST = 50  # problems shown in a terminal; all of them with --json


def data(text: str) -> None:
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


def as_json(value: object) -> None:
    data(json.dumps(value, ensure_ascii=False, indent=1))


def counted(number: int, one: str, several: str) -> str:
    """Return a number with its noun; in French, the plural begins at two."""
    return f"{number} {several if number > 1 else one}"


def fail(text: str, code: int) -> NoReturn:
    say(text)
    sys.exit(code)


def problems(found: Iterable[Problem], language: str) -> None:
    """Tell problems, the worst first, then as they stand in the sheets.

    A fault that repeats is told once, with its cells.
    """
    groups: dict[Hashable, list[Problem]] = {}
    for each in found:
        groups.setdefault(_fault(each, language), []).append(each)
    told = [line for members in groups.values() for line in _lines(members, language)]
    told.sort(key=lambda line: (line.elsewhere, _RANK[line.severity], line.place))
    for number, line in enumerate(told[:MOST]):
        if line.elsewhere and not (number and told[number - 1].elsewhere):
            say(message("elsewhere").in_(language))
        say(f"  {_MARK[line.severity]} {line.text}")
    if len(told) > MOST:
        say("  " + message("more-messages", count=len(told) - MOST).in_(language))


@dataclass(frozen=True)
class _Line:
    severity: Severity
    elsewhere: bool
    place: tuple[str, str, int, int]
    text: str


def _fault(each: Problem, language: str) -> Hashable:
    """Return what makes two problems one fault; what was read does not, nor a note's wording."""
    said = "" if each.severity is Severity.NOTE else each.message.in_(language)
    return each.severity, each.code, each.cell.file, each.cell.sheet, each.cell.heading, said


def _lines(members: list[Problem], language: str) -> Iterator[_Line]:
    groups = [members] if len(members) > REPEATED else [[each] for each in members]
    for group in groups:
        first, count = group[0], len(group)
        cells = ", ".join(each.cell.in_(language) for each in group[:CELLS])
        if count > 1:
            cells = message("cells", count=count, first=cells).in_(language)
        read = first.read if all(each.read == first.read for each in group) else ""
        shown = f"  « {read[:60]} »" if read else ""
        heading = f"  {first.cell.heading}" if first.cell.heading else ""
        text = f"{cells}{heading}{shown}  {first.message.in_(language)}"
        where = first.cell
        place = where.file, where.sheet, where.line, where.column or 0
        yield _Line(first.severity, not where.line, place, text)


_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
_MARK = {Severity.ERROR: "✖", Severity.WARNING: "⚠", Severity.NOTE: "✔"}
