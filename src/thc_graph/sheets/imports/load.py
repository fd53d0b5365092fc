"""Loading: propose, validate, publish; all or nothing, unless sound rows may go alone.

With `partial`, rows at fault are left out and everything is proposed again, so that a
row which cites one left out is judged without it; this ends when no fault is left.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from thc_graph.rdf.changes import ChangeSet
from thc_graph.schema.validation import Accepted
from thc_graph.sheets.imports import journal
from thc_graph.sheets.imports.datasets import Input
from thc_graph.sheets.imports.proposal import Complete, Line, Part, Proposal, judged, propose
from thc_graph.sheets.problems import Problem, Severity
from thc_graph.store.progress import Progress, silent
from thc_graph.store.snapshots.draft import Draft
from thc_graph.store.snapshots.snapshot import Snapshot
from thc_graph.store.writes.repository import Repository, Writer

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
    is_late: bool = False  # proposed again, upon what another published meanwhile

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


def load(
    files: Iterable[Input],
    repository: Repository,
    options: Options,
    progress: Progress = silent,
    agreed: Callable[[Report], bool] | None = None,
) -> Report:
    """Propose, validate and, with `apply`, publish; keep the report in the private journal.

    The store's lock is taken only to publish. If another publication came in between, all
    is proposed and validated again upon that one.

    Args:
        files: What to load, in the order they depend on one another.
        repository: Where to.
        options: How.
        progress: Told each stage.
        agreed: Asked before anything is published, and again only if that became another
            change; None where nobody is to be asked.

    Raises:
        SheetError: A file is not a sheet at all.
        StoreLocked: Another process is writing.
        OSError: A file cannot be opened.
    """
    given = list(files)
    with _uncollected():
        report = _Loading(given, repository, options, progress, agreed).report()
    if options.apply:
        names = [each.path.name for each in given]
        counts = report.proposal.entities
        journal.write(repository.root, names, report.commit, counts, report.problems)
    return report


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


@dataclass
class _Ready:
    """A report, and what may be published of it: nothing where there is no draft."""

    report: Report
    upon: Snapshot | None = None
    draft: Draft | None = None
    accepted: Accepted | None = None

    @property
    def content(self) -> tuple[ChangeSet, frozenset[Line]]:
        """What a person agrees to."""
        return self.report.proposal.change, self.report.refused


@dataclass
class _Loading:
    given: list[Input]
    repository: Repository
    options: Options
    progress: Progress
    agreed: Callable[[Report], bool] | None
    content: tuple[ChangeSet, frozenset[Line]] | None = None  # what a person agreed to
    is_late: bool = False  # something was published meanwhile

    def report(self) -> Report:
        while (report := self._attempt()) is None:
            pass
        return report

    def _attempt(self) -> Report | None:
        """Return the report of what was published or will not be; None where one asks again."""
        with ExitStack() as lock:
            with self._ready() as ready:
                if ready.draft is None or not self._agrees(ready):
                    return ready.report
                writer = lock.enter_context(self.repository.writing())
                if writer.may_publish(ready.draft, ready.upon):
                    return self._published(ready, writer)
            self.is_late = True
            self.progress("again")
            with self._ready() as ready:
                if ready.draft is None:
                    return ready.report
                is_agreed = self.agreed is None or ready.content == self.content
                return self._published(ready, writer) if is_agreed else None

    @contextmanager
    def _ready(self) -> Iterator[_Ready]:
        """Propose and validate; again without the rows at fault, where these may be left out."""
        refused: list[Problem] = []
        while True:
            with self._validated(frozenset(map(_line, refused))) as ready:
                faults = _separable(ready.report) if self.options.partial else []
                if not faults:
                    yield ready
                    ready.report.problems += refused  # they speak against nothing of what is left
                    return
            refused += faults

    @contextmanager
    def _validated(self, without: frozenset[Line]) -> Iterator[_Ready]:
        options, repository = self.options, self.repository
        upon = repository.current()
        proposal = propose(
            self.given, repository, options.base, options.complete, without, self.progress
        )
        problems = list(proposal.problems)
        report = Report(proposal, problems, options, refused=without, is_late=self.is_late)
        if proposal.errors or not proposal.change:
            yield _Ready(report)
            return
        self.progress("deriving")
        with repository.draft(proposal.change, ahead=options.apply) as draft:
            self.progress("validating")
            outcome = repository.check(proposal.change, draft)
            report.problems += judged(proposal, outcome, repository.schema)
            if options.apply and isinstance(outcome, Accepted) and not report.exit_code:
                yield _Ready(report, upon, draft, outcome)
            else:
                yield _Ready(report)

    def _agrees(self, ready: _Ready) -> bool:
        if self.agreed is None or ready.content == self.content:
            return True
        self.content = ready.content
        return self.agreed(ready.report)

    def _published(self, ready: _Ready, writer: Writer) -> Report:
        report, author = ready.report, self.options.author
        assert ready.draft is not None
        assert ready.accepted is not None
        sources = report.proposal.sources
        said = f"Import : {', '.join(source.name for source in sources)}"
        commit = writer.publish(ready.draft, ready.accepted, author, said, sources, self.progress)
        report.commit = commit.id
        return report


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
