"""Loading: propose, validate, publish; all or nothing, unless sound rows may go alone.

With `partial`, rows at fault are left out and everything is proposed again, so that a
row which cites one left out is judged without it; this ends when no fault is left.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

from thc_graph.schema.validation import Accepted
from thc_graph.sheets import journal
from thc_graph.sheets.datasets import Input
from thc_graph.sheets.importing import (
    Complete,
    Line,
    Part,
    Proposal,
    judged,
    propose,
)
from thc_graph.sheets.problems import Problem, Severity
from thc_graph.store.progress import Progress, silent
from thc_graph.store.publication import Repository, Writer

TENTH = 0.1


@dataclass(frozen=True)
class Options:
    """How to load; `max_removals` is a share of the scope below 1, a number of records above."""

    base: str
    author: str
    apply: bool = False
    strict: bool = False
    partial: bool = False
    complete: Complete | None = None
    max_removals: float = TENTH


@dataclass
class Report:
    """What came of a load."""

    proposal: Proposal
    problems: list[Problem]
    options: Options
    commit: str | None = None
    refused: frozenset[Line] = field(default_factory=frozenset)

    def count(self, severity: Severity) -> int:
        return sum(each.severity is severity for each in self.problems)

    @property
    def is_guarded(self) -> bool:
        """Whether more would be removed than was said to be normal."""
        removed, limit = self.proposal.entities.get("removed", 0), self.options.max_removals
        return removed > (limit if limit > 1 else limit * self.proposal.scope)

    @property
    def exit_code(self) -> int:
        if self.count(Severity.ERROR):
            return 3
        if self.is_guarded:
            return 7
        return 4 if self.options.strict and self.count(Severity.WARNING) else 0


def always(report: Report) -> bool:
    """Publish without asking."""
    del report
    return True


def load(
    files: Iterable[Input],
    repository: Repository,
    options: Options,
    progress: Progress = silent,
    agreed: Callable[[Report], bool] = always,
) -> Report:
    """Propose, validate and, with `apply`, publish; keep the report in the private journal.

    Args:
        files: What to load, in the order they depend on one another.
        repository: Where to.
        options: How.
        progress: Told each stage.
        agreed: Asked once, before anything is published.

    Raises:
        SheetError: A file is not a sheet at all.
        StoreLocked: Another process is writing.
        OSError: A file cannot be opened.
    """
    with _uncollected():
        return _load(list(files), repository, options, progress, agreed)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold the cyclic garbage collector: a load makes millions of objects, and hardly a cycle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _load(
    given: list[Input],
    repository: Repository,
    options: Options,
    progress: Progress,
    agreed: Callable[[Report], bool],
) -> Report:
    holding: AbstractContextManager[Writer | None] = (
        repository.writing() if options.apply else nullcontext()
    )
    refused: list[Problem] = []
    with holding as writer:
        while True:
            without = frozenset(map(_line, refused))
            proposal = propose(given, repository, options.base, options.complete, without, progress)
            report = Report(proposal, list(proposal.problems), options, refused=without)
            if not proposal.errors and proposal.change:
                _settle(report, repository, writer, progress, agreed)
            faults = _separable(report) if options.partial else []
            if not faults:
                break
            refused += faults
    report.problems += refused
    if options.apply:
        names = [each.path.name for each in given]
        journal.write(repository.root, names, report.commit, proposal.entities, report.problems)
    return report


def _settle(
    report: Report,
    repository: Repository,
    writer: Writer | None,
    progress: Progress,
    agreed: Callable[[Report], bool],
) -> None:
    """Validate what is proposed, and publish it if it may be."""
    proposal, author = report.proposal, report.options.author
    progress("deriving")
    drafting = writer.draft if writer else repository.draft
    with drafting(proposal.change) as draft:
        progress("validating")
        outcome = repository.check(proposal.change, draft)
        report.problems += judged(proposal, outcome, repository.schema)
        if writer is None or not isinstance(outcome, Accepted) or report.exit_code:
            return
        if agreed(report):
            names = ", ".join(source.name for source in proposal.sources)
            said = f"Import : {names}"
            commit = writer.publish(draft, outcome, author, said, proposal.sources, progress)
            report.commit = commit.id


def _separable(report: Report) -> list[Problem]:
    """Return the errors, if leaving their rows out may mend them all; else none."""
    faults = [each for each in report.problems if each.severity is Severity.ERROR]
    rows = {row for each in report.proposal.parts for row in _rows(each)}
    return faults if all(_line(each) in rows for each in faults) else []


def _rows(part: Part) -> Iterator[Line]:
    for row in part.given.layout.rows:
        yield part.given.table.file, part.given.table.name, row.line


def _line(problem: Problem) -> Line:
    return problem.cell.file, problem.cell.sheet, problem.cell.line
