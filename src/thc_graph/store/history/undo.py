"""Undoing: the inverse of a commit, as a change for a new one.

History is append-only, so an undo is a publication like any other: its change is
what is left of the commit's inverse, and it is refused where the same facts (the same
property of the same entity) have changed since; a later commit that was itself undone
stands in nobody's way.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import accumulate

from pyoxigraph import NamedNode, Quad

from thc_graph.errors import CommitUnknown, UndoConflict
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.iris import is_provenance
from thc_graph.rdf.terms import PROV
from thc_graph.store.history.commits import Commit, History

Fact = tuple[str, str]
SHORTEST = 4  # characters of an id that may name it


def named(history: History, name: str) -> Commit:
    """Return the commit that goes by the start of its id, or the last one of a day.

    Args:
        history: Where to look.
        name: Four characters of an id at least, or a day as 2026-11-23 (UTC).

    Raises:
        CommitUnknown: No commit goes by this name, or several do.
    """
    if _is_day(name):
        found = _until(history, name)
    else:
        long_enough = len(name) >= SHORTEST
        found = [each for each in history.log() if long_enough and each.id.startswith(name)]
    if len(found) != 1:
        raise CommitUnknown(name)
    return found[0]


def _until(history: History, day: str) -> list[Commit]:
    """Return the last commit of a day or before it, if there is one.

    What a clock that was set back dated before an earlier commit came after it all the same.
    """
    commits = [*history.log()][::-1]
    times = accumulate((each.time for each in commits), max)
    told = zip(commits, times, strict=True)
    return [commit for commit, time in told if time[:10] <= day][-1:]


def between(history: History, first: Commit, last: Commit) -> ChangeSet:
    """Return what changed from the state after `first` to the state after `last`."""
    order = [each.id for each in history.log()][::-1]
    start, end = order.index(first.id), order.index(last.id)
    if start > end:
        return between(history, last, first).inverse()
    change = ChangeSet()
    for id_ in order[start + 1 : end + 1]:
        change = change.then(history.change(id_))
    return change


def inverse(history: History, commit: Commit) -> ChangeSet:
    """Return the change that undoes a commit; every commit since is read.

    Raises:
        UndoConflict: Some of the same facts have changed since.
    """
    change = history.change(commit.id)
    later = {each.id: history.change(each.id) for each in _after(history, commit)}
    since = ChangeSet()
    for each in reversed(later.values()):
        since = since.then(each)
    conflicts = set(_facts(change)).intersection(_facts(since))
    if conflicts:
        guilty = [id_ for id_, each in later.items() if conflicts.intersection(_facts(each))]
        raise UndoConflict(commit.id, guilty, sorted(conflicts))
    return _without_newer_provenance(change.inverse(), since)


def _after(history: History, commit: Commit) -> Iterator[Commit]:
    for each in history.log():
        if each.id == commit.id:
            return
        yield each


def _facts(change: ChangeSet) -> Iterator[Fact]:
    for quad in (*(facts := change.facts()).removed, *facts.added):
        if isinstance(quad.subject, NamedNode):
            yield quad.subject.value, quad.predicate.value


def _without_newer_provenance(change: ChangeSet, since: ChangeSet) -> ChangeSet:
    """Leave the rows that later commits gave, and the files that these rows are of."""
    kept = {(quad.subject, quad.graph_name) for quad in _provenance(since)}
    files = {_file(quad) for quad in since.added if quad.predicate == PROV["wasDerivedFrom"]}

    def stays(quad: Quad) -> bool:
        newer = (quad.subject, quad.graph_name) in kept
        return is_provenance(quad.graph_name) and (newer or str(quad.subject)[1:-1] in files)

    return ChangeSet(
        removed=frozenset(quad for quad in change.removed if not stays(quad)),
        added=frozenset(quad for quad in change.added if not stays(quad)),
    )


def _provenance(change: ChangeSet) -> Iterable[Quad]:
    return (q for q in (*change.removed, *change.added) if is_provenance(q.graph_name))


def _file(row: Quad) -> str:
    return str(row.object)[1:-1].partition("#")[0]


def _is_day(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False
