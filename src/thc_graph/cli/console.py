"""What a command says: data on stdout, talk on stderr, one JSON object with --json."""

import json
import sys
from collections.abc import Iterable
from typing import NoReturn

from thc_graph.sheets.problems import Problem

CELLS = 3  # named for a fault that repeats
MOST = 50  # problems shown in a terminal; all of them with --json


def data(text: str) -> None:
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


def as_json(value: object) -> None:
    data(json.dumps(value, ensure_ascii=False, indent=1))


def fail(text: str, code: int) -> NoReturn:
    say(text)
    sys.exit(code)


def problems(found: Iterable[Problem], language: str) -> None:
    """Tell problems, the worst first; a fault that repeats is told once, with its cells."""
    groups: dict[tuple[str, str, str], list[Problem]] = {}
    for each in found:
        key = (each.severity, each.message.in_(language), each.read)
        groups.setdefault(key, []).append(each)
    ordered = sorted(groups.items(), key=lambda item: _RANK[item[0][0]])
    for (severity, text, read), members in ordered[:MOST]:
        cells = ", ".join(str(each.cell) for each in members[:CELLS])
        more = f" et {len(members) - CELLS} autres" if len(members) > CELLS else ""
        shown = f" « {read[:60]} »" if read else ""
        say(f"  {_MARK[severity]} {cells}{more}  {members[0].cell.heading}{shown}  {text}")
    if len(ordered) > MOST:
        say(f"  … {len(ordered) - MOST} autres messages : voir avec --json")


_RANK = {"error": 0, "warning": 1, "note": 2}
_MARK = {"error": "✖", "warning": "⚠", "note": "✔"}
