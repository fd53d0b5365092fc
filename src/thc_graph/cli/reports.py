"""What `import` says: problems by cell, what would change, and the outcome."""

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from pyoxigraph import Store
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from thc_graph.cli import console
from thc_graph.sheets.imports.load import Report
from thc_graph.sheets.problems import Problem, Severity, message
from thc_graph.sheets.workbooks import annotation
from thc_graph.store.progress import Progress, silent
from thc_graph.store.writes.repository import Repository
from thc_graph.versions.differences import Difference, Kind, differences

SHOWN = 20  # records in a terminal
LISTED = 1_000  # records in JSON
FACTS = 6  # of one record, in a terminal
_SIGN = {Kind.ADDED: "+", Kind.CHANGED: "~", Kind.REMOVED: "-"}


def tell(report: Report, repository: Repository, language: str, *, create: bool = False) -> None:
    """Say it all on stderr, the worst first."""
    console.problems(report.problems, language)
    if create:
        _tell_unknown(report.problems, language)
    if report.commit or not report.count(Severity.ERROR):
        tell_changes(changed(report, repository, language), language)
    tell_counts(report, language)


def tell_counts(report: Report, language: str) -> None:
    """Say how many records and faults there are, and what became of the files."""
    console.say(said("entities", language, **_entities(report)))
    console.say(said("report-counts", language, **_severities(report)))
    if report.is_late:
        console.say(said("late", language))
    if report.refused:
        console.say(said("rows-refused", language, count=len(report.refused)))
    console.say(_outcome(report, language))


def as_dict(report: Report, repository: Repository, language: str) -> dict[str, object]:
    change = report.proposal.change
    found = list(islice(changed(report, repository, language), LISTED))
    return {
        "commit": report.commit,
        **_entities(report),
        "refused_rows": len(report.refused),
        "triples": {"added": len(change.added), "removed": len(change.removed)},
        "late": report.is_late,
        "conforms": not report.count(Severity.ERROR),
        **_severities(report),
        "changes": [each.as_dict() for each in found],
        "problems": [each.as_dict(language) for each in report.problems],
    }


def write(report: Report, path: Path, language: str) -> None:
    """Write the report where the person wants it: .csv, or else an annotated .xlsx."""
    if path.suffix == ".csv":
        _write_csv(report.problems, path, language)
    else:
        annotation.annotate(report.proposal.parts, report.problems, report.refused, path, language)
    console.say(said("report-written", language, path=path))


def said(code: str, language: str, **facts: object) -> str:
    return message(code, **facts).in_(language)


def changed(report: Report, repository: Repository, language: str) -> Iterator[Difference]:
    snapshot = repository.current()
    store = snapshot.store() if snapshot else Store()
    return differences(report.proposal.change, store, repository.schema, language)


def tell_changes(
    changes: Iterable[Difference], language: str, out: Callable[[str], None] = console.say
) -> None:
    """Say the first of the changes: what is removed is always said whole."""
    left = 0
    for number, each in enumerate(changes):
        if number >= SHOWN and each.kind is not Kind.REMOVED:
            left += 1
            continue
        for line in lines(each, language):
            out(line)
    if left:
        out(said("more-changes", language, count=left))


def lines(each: Difference, language: str, most: int | None = FACTS) -> Iterator[str]:
    head = f"{_SIGN[each.kind]} {each.label}"
    if each.kind is not Kind.CHANGED:
        yield f"{head}   {said('facts', language, count=len(each.facts))}"
    elif len(each.facts) == 1:
        yield f"{head}   {each.facts[0]}"
    else:
        yield head
        yield from (f"    {fact}" for fact in each.facts[:most])
        if most is not None and len(each.facts) > most:
            yield f"    … {said('facts', language, count=len(each.facts) - most)}"


@contextmanager
def stages(language: str) -> Iterator[Progress]:
    """Show the stage that runs, how far it is and for how long, on stderr of a terminal only."""
    terminal = Console(stderr=True)
    if not terminal.is_terminal:
        yield silent
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Bar(*columns, console=terminal, transient=True) as bar:
        task = bar.add_task("", total=None)

        def progress(stage: str, done: int = 0, total: int = 0) -> None:
            said_ = said(stage, language)
            bar.update(task, description=said_, completed=done, total=total or None)

        yield progress


def _tell_unknown(problems: Iterable[Problem], language: str) -> None:
    unknown = dict.fromkeys(p.read for p in problems if p.code == "unknown-reference")
    if unknown:
        console.say(said("to-create", language, list=", ".join(unknown)))


def _entities(report: Report) -> dict[str, int]:
    return {"removed": 0} | report.proposal.entities


def _severities(report: Report) -> dict[str, int]:
    return {
        "errors": report.count(Severity.ERROR),
        "warnings": report.count(Severity.WARNING),
        "notes": report.count(Severity.NOTE),
    }


def _outcome(report: Report, language: str) -> str:
    if report.commit:
        return said("published", language, commit=report.commit[:8])
    if report.exit_code == 7:  # noqa: PLR2004 - the guard's
        removed, scope = report.proposal.entities["removed"], report.proposal.scope
        return said("guarded", language, removed=removed, scope=scope)
    if report.options.apply or report.exit_code:
        nothing = not report.exit_code and not report.proposal.change
        return said("nothing-to-change" if nothing else "nothing-written", language)
    return said("preview-only" if report.proposal.change else "nothing-to-change", language)


def _write_csv(problems: Iterable[Problem], path: Path, language: str) -> None:
    headings = ("cell", "column", "severity", "read", "message")
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file)
        table.writerow(said(f"heading-{each}", language) for each in headings)
        for each in problems:
            severity = said(f"severity-{each.severity}", language)
            row = (each.cell.in_(language), each.cell.heading, severity, each.read)
            table.writerow(map(inert, (*row, each.message.in_(language))))


def inert(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
