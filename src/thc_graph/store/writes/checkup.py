"""Checkup: whether a store is what its history says, commit by commit and quad by quad.

A fault is told as a code with its facts; whoever reads them finds the words elsewhere.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from thc_graph.errors import HistoryCorrupt, StoreUnsound
from thc_graph.rdf.changes import read_patch
from thc_graph.store.history import erasure
from thc_graph.store.history.commits import Commit, History
from thc_graph.store.snapshots import claims, seals
from thc_graph.store.snapshots.snapshot import Snapshot
from thc_graph.store.writes import recovery
from thc_graph.store.writes.replay import compare
from thc_graph.store.writes.repository import Repository


class Level(StrEnum):
    """A fault must be mended, a warning may be; the rest is for information."""

    FAULT = "fault"
    WARNING = "warning"
    GOOD = "good"


@dataclass(frozen=True)
class Finding:
    level: Level
    code: str
    facts: dict[str, str | int] = field(default_factory=dict)


def examine(repository: Repository) -> Iterator[Finding]:
    """Look at all that can be wrong with a store at rest; nothing is changed."""
    commits: list[Commit] = []
    faults = list(_chain(repository.history, commits))
    yield from faults
    if not faults:
        yield Finding(Level.GOOD, "history", {"commits": len(commits)})
        yield from _seals(repository.history, commits)
        yield from _strays(repository.history, commits)
    yield from _leftovers(repository)
    snapshot = recovery.pointed(repository.root)
    yield from _files(repository.root, snapshot)
    if snapshot is None:
        yield Finding(Level.FAULT, "snapshot-missing")
    if snapshot is None or faults:
        return  # what follows would only repeat it
    try:
        yield from _replay(repository, snapshot, commits)
    except (OSError, RuntimeError, StoreUnsound):
        yield Finding(Level.FAULT, "snapshot-unreadable", {"commit": snapshot.commit})


def _files(root: Path, snapshot: Snapshot | None) -> Iterator[Finding]:
    """Read every file of the snapshots, and hold it to its seal."""
    found = recovery.harms(root, thorough=True)
    for each in found:
        yield Finding(Level.FAULT, "file-harmed", {"file": each.file, "harm": each.harm})
    if snapshot is not None and recovery.is_unsealed(root, snapshot):
        yield Finding(Level.WARNING, "unsealed")
    elif snapshot is not None and not found:
        yield Finding(Level.GOOD, "files", {"number": seals.number(snapshot.path)})
    for folder in sorted((root / "snapshots").glob("[!.]*")):
        is_former = snapshot is None or folder != snapshot.path
        if is_former and not seals.are_missing(folder):  # it may be of a version before seals
            for each in seals.harms(folder, thorough=True):
                file = (folder / each.file).relative_to(root).as_posix()
                yield Finding(Level.WARNING, "former-harmed", {"file": file, "harm": each.harm})


def _chain(history: History, commits: list[Commit]) -> Iterator[Finding]:
    """Follow the parents from `HEAD`: each hash, each count, each link."""
    try:
        id_ = history.head
        redactions = history.erased().redacted
    except HistoryCorrupt as fault:
        yield Finding(Level.FAULT, "file-harmed", {"file": fault.file, "harm": fault.harm})
        return
    if id_ is None:
        yield Finding(Level.FAULT, "history-missing")
    with suppress(HistoryCorrupt):  # a commit's own harm is told below
        for each in recovery.harms_of_erased(history):
            yield Finding(Level.FAULT, "file-harmed", {"file": each.file, "harm": each.harm})
            return
    while id_ is not None:
        try:
            commit = history.commit(id_)
            change = read_patch(history.text(id_).partition("\n")[2])
        except (HistoryCorrupt, SyntaxError, ValueError, KeyError, TypeError) as fault:
            harm = fault if isinstance(fault, HistoryCorrupt) else HistoryCorrupt(id_)
            facts = {"commit": id_, "file": harm.file, "harm": harm.harm}
            yield Finding(Level.FAULT, "commit-damaged", {**facts})
            return
        commits.append(commit)
        if id_ not in redactions and (len(change.added), len(change.removed)) != (
            commit.added,
            commit.removed,
        ):
            yield Finding(Level.FAULT, "commit-counts", {"commit": id_})
        id_ = commit.parent


def _seals(history: History, commits: list[Commit]) -> Iterator[Finding]:
    """Hold `ERASED` to the commits of purges, which alone are sealed by the chain."""
    sealed: dict[str, str] = {}
    for commit in reversed(commits):
        sealed |= commit.purge.redacted if commit.purge else {}
    told = history.erased().redacted
    for id_ in sorted(sealed.keys() | told.keys()):
        if sealed.get(id_) != told.get(id_) or history.digest(id_) != sealed.get(id_):
            yield Finding(Level.FAULT, "redaction-unsealed", {"commit": id_})


def _strays(history: History, commits: list[Commit]) -> Iterator[Finding]:
    strays = len(history) - len(commits)
    if strays:
        yield Finding(Level.WARNING, "strays", {"number": strays})


def _leftovers(repository: Repository) -> Iterator[Finding]:
    if (repository.root / erasure.INTENT).exists():
        yield Finding(Level.FAULT, "purge-unfinished")
    number = sum(1 for _ in claims.abandoned(repository.root))
    if number:
        yield Finding(Level.WARNING, "drafts", {"number": number})


def _replay(repository: Repository, snapshot: Snapshot, commits: list[Commit]) -> Iterator[Finding]:
    if snapshot.commit != commits[0].id:
        yield Finding(Level.FAULT, "snapshot-behind", {"commit": snapshot.commit})
        return
    compared = compare(repository, snapshot)
    if compared.is_equal:
        yield Finding(Level.GOOD, "snapshot", asdict(compared))
    else:
        yield Finding(Level.FAULT, "snapshot-differs", asdict(compared))
