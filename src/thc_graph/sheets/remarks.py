"""Remarks: what is to be said of a value that was mended, doubted or refused."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from thc_graph.sheets.problems import Severity


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
