"""Publication: the one way a change gets in.

draft (the state after the change) → validate → record in history → publish the
draft as the new snapshot. One writer at a time, who takes the lock for the last two
steps and waits for it; whoever is late goes through the first two again. A crash anywhere
leaves the last acknowledged commit, and the next writer finishes or cleans up.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from pyoxigraph import DefaultGraph, NamedNode, Quad, Store

from thc_graph.errors import DraftOutdated, StoreLocked, StoreMissing
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import A
from thc_graph.schema.model import Schema
from thc_graph.schema.reports import Violation
from thc_graph.schema.validation import Accepted, accept, accept_unchecked, violations
from thc_graph.store import layout
from thc_graph.store.history import by_entity
from thc_graph.store.history import purge as purges
from thc_graph.store.history.commits import Commit, History, Source
from thc_graph.store.history.erasure import Erasure
from thc_graph.store.progress import Progress, silent
from thc_graph.store.snapshots import draft as drafts
from thc_graph.store.snapshots import snapshot as snapshots
from thc_graph.store.snapshots.artefacts import LARGE, Ahead, furnish
from thc_graph.store.snapshots.checks import newly_broken
from thc_graph.store.snapshots.derivation import Derivation
from thc_graph.store.snapshots.draft import Artefact, Draft
from thc_graph.store.snapshots.seals import Harm
from thc_graph.store.snapshots.snapshot import Snapshot
from thc_graph.store.writes import recovery

PAUSE: Final = 0.02  # seconds between two tries of a lock


def _silent(pid: int | None) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Repository:
    """A store's folder, its rules and its derivations.

    In conformance mode, `union` is off (the default graph holds quads of its own) and
    so is `ruled` (nothing is validated, nothing is derived).
    """

    root: Path
    schema: Schema
    derivation: Derivation
    artefacts: tuple[Artefact, ...] = ()  # what each snapshot holds beside its quads
    follow: Callable[["Repository"], None] | None = None  # called when a writer has ended
    lock_seconds: float = 10.0  # to wait for another writer
    waiting: Callable[[int | None], None] = _silent  # told once whom a writer waits for, by pid
    mending: Callable[[list[Harm]], None] = recovery.log  # told what is made again, before it is
    union: bool = True
    ruled: bool = True

    @property
    def history(self) -> History:
        return History(self.root / "history")

    def current(self) -> Snapshot | None:
        """Return the published snapshot, None before the first publication."""
        try:
            return snapshots.current(self.root)
        except StoreMissing:
            return None

    def quads(self, *graphs: str) -> Iterator[Quad]:
        """Yield the published quads of some graphs."""
        snapshot = self.current()
        for quad in snapshot.store() if snapshot else ():
            if getattr(quad.graph_name, "value", None) in graphs:
                yield quad

    @contextmanager
    def draft(self, change: ChangeSet, *, ahead: bool = False) -> Iterator[Draft]:
        """Give the state after a change, derived facts included; nothing is published.

        With `ahead`, it is likely to be: where much is touched, what stands beside the
        quads is built from now on. No lock is needed.
        """
        with drafts.drafting(self.root, self.current(), union=self.union) as draft:
            self._complete(draft, change)
            if ahead and len(draft.touched) >= LARGE:
                with Ahead.of(self.artefacts, draft):
                    yield draft
            else:
                yield draft

    def _complete(self, draft: Draft, change: ChangeSet) -> None:
        draft.apply(change)
        if self.ruled:
            self.derivation.derive(draft, change, draft.before)
        draft.compact()

    @contextmanager
    def rebuilt(self, commit: str) -> Iterator[Draft]:
        """Give the state at a commit, made from history alone."""
        change = ChangeSet(added=frozenset(self.history.state(commit)))
        with drafts.drafting(self.root, None, union=self.union) as draft:
            self._complete(draft, change)
            yield draft

    def check(self, change: ChangeSet, draft: Draft) -> Accepted | list[Violation]:
        """Validate every entity the change touches, in the state after it, and run the checks.

        What points at an entity that is no longer of its class is validated with it.
        """
        if not self.ruled:
            return accept_unchecked(change)
        focus = change.subjects().union(_citing(change, draft.store))
        found = violations(focus, draft.describe, self.schema)
        found += newly_broken(draft.store, draft.before, self.derivation.library)
        found += purges.returning(self.root, change)
        return accept(change, found)

    def publish(
        self, propose: Callable[[], ChangeSet], author: str, message: str
    ) -> "Published | list[Violation] | None":
        """Publish what is proposed, or return what speaks against it; None where it is nothing.

        It is drafted and checked without the lock, which is taken to publish; if another
        publication came in between, it is proposed, drafted and checked again upon that one.
        """
        return self._published(propose, author, message, None)

    def _published(
        self, propose: Callable[[], ChangeSet], author: str, message: str, holder: "Writer | None"
    ) -> "Published | list[Violation] | None":
        upon, change = self.current(), propose()
        if not change and self.current() is not None:
            return None
        with self.draft(change) as draft:
            outcome = self.check(change, draft)
            if not isinstance(outcome, Accepted):
                return outcome
            with nullcontext(holder) if holder else self.writing() as writer:
                if writer.may_publish(draft, upon):
                    commit = writer.publish(draft, outcome, author, message)
                    return Published(commit, outcome.warnings)
                return self._published(propose, author, message, writer)

    @contextmanager
    def writing(self) -> Iterator["Writer"]:
        """Give the right to publish: the one way to it, for every writer.

        Another writer is waited for; so propose, check and ask before, and hold it shortly.

        Raises:
            StoreLocked: Another process is writing, and has been for `lock_seconds`.
            StoreTooNew: A newer program wrote this store.
            StoreUnsound: A file is harmed that cannot be made again.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with locked(self.root, self.lock_seconds, self.waiting):
            layout.check(self.root)
            writer = Writer(self)
            writer.recover()
            layout.mark(self.root)  # what stands is as this version leaves it, from here on
            yield writer
            if self.follow is not None:
                self.follow(self)


@dataclass(frozen=True)
class Published:
    """What was published, and what was to be said about it."""

    commit: Commit
    warnings: tuple[Violation, ...]


class Writer:
    """Holds the store's lock while it lives; made by `Repository.writing`."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository

    def may_publish(self, draft: Draft, upon: Snapshot | None) -> bool:
        """Tell whether a draft, and what was proposed `upon` a state, stand on the last commit."""
        former = draft.previous.commit if draft.previous else None
        is_last = upon == draft.previous and former == self.repository.history.head
        return is_last and draft.ground == snapshots.ground(draft.previous)

    def publish(
        self,
        draft: Draft,
        accepted: Accepted,
        author: str,
        message: str,
        sources: tuple[Source, ...] = (),
        progress: Progress = silent,
    ) -> Commit:
        """Record an accepted change, then publish its draft. Durable on return.

        Raises:
            DraftOutdated: The draft is not made upon the last publication.
        """
        root, history = self.repository.root, self.repository.history
        if not self.may_publish(draft, draft.previous):
            raise DraftOutdated
        progress("indexing")
        furnish(self.repository.artefacts, draft)
        draft.close()  # a disk without room for it is met before anything is recorded
        progress("recording")
        commit = history.record(accepted, author, message, sources)
        progress("publishing")
        former = draft.previous.path if draft.previous else None
        by_entity.keep(history, commit, accepted.change.subjects(), draft.folder, former)
        drafts.publish(root, draft, commit.id)
        snapshots.tidy(root, self.repository.current())
        return commit

    def purge(self, erasure: Erasure, author: str) -> Commit:
        """Erase what the law wants erased, everywhere, and record that it was done.

        Raises:
            NothingToPurge: No commit holds anything of it.
        """
        history = self.repository.history
        purges.begin(self.repository.root, history, erasure, author)
        self.recover()
        return next(history.log())

    def recover(self) -> None:
        """Finish what a crash interrupted: history is the truth, the snapshot follows it."""
        repository = self.repository
        history = repository.history
        history.tidy()
        snapshots.tidy(repository.root, recovery.pointed(repository.root))
        is_purging = purges.resume(repository.root, history)
        published = recovery.sound(repository)
        if history.head != (published.commit if published else None):
            published = self._rebuild()
        if is_purging and published:
            purges.close(repository.root, published.path)

    def remake(self, published: Snapshot) -> None:
        """Make the published snapshot again, which is not as the history says."""
        file = published.path.relative_to(self.repository.root).as_posix()
        self.repository.mending([Harm(file, "altered")])
        self._rebuild()

    def _rebuild(self) -> Snapshot:
        history = self.repository.history
        history.sweep()
        head = next(history.log())
        with self.repository.rebuilt(head.id) as draft:
            furnish(self.repository.artefacts, draft)
            draft.close()
            by_entity.keep(history, head, (), draft.folder, None)
            return drafts.publish(self.repository.root, draft, head.id)


def _citing(change: ChangeSet, after: Store) -> Iterator[NamedNode]:
    """Yield what still points at entities that lose a class."""
    for each in change.removed:
        if each.predicate == A:
            for quad in after.quads_for_pattern(None, None, each.subject, DefaultGraph()):
                if isinstance(quad.subject, NamedNode):
                    yield quad.subject


@contextmanager
def locked(
    root: Path, seconds: float = 0, waiting: Callable[[int | None], None] = _silent
) -> Iterator[None]:
    """Hold a store's lock.

    Args:
        root: The store's folder.
        seconds: To wait for another process at most.
        waiting: Told once for whom, by its pid where it could be read.

    Raises:
        StoreLocked: It is not to be had in this time.
    """
    with (root / "lock").open("a+") as file:
        _lock(file, seconds, waiting)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _lock(file: TextIO, seconds: float, waiting: Callable[[int | None], None]) -> None:
    end = time.monotonic() + seconds
    is_waiting = False
    while not _is_locked_now(file):
        file.seek(0)
        pid = file.read().strip()
        holder = int(pid) if pid.isdigit() else None
        if time.monotonic() >= end:
            raise StoreLocked(holder)
        if not is_waiting:
            is_waiting = True
            waiting(holder)
        time.sleep(min(PAUSE, seconds))


def _is_locked_now(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
