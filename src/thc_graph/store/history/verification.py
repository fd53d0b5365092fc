"""Verification: whether the history is whole, from `HEAD` to the first commit.

A commit that was read and found sound is noted in `VERIFIED`, with its parent and with the
size and time of its file; the next verification reads only what is new or was written
since. A thorough one reads everything. The note may be lost at any time: it only spares
work.

`ERASED` says nothing that commits of purges do not say, so it is made again from them.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from thc_graph.errors import HistoryCorrupt
from thc_graph.store import files
from thc_graph.store.history.commits import Erased, History
from thc_graph.store.snapshots import seals

FILE: Final = "VERIFIED"
_ERASED: Final = "ERASED"
_NONE: Final = "-"


@dataclass(frozen=True)
class Note:
    """Of one file that was sound; `time` is when it was written, in nanoseconds."""

    parent: str | None
    size: int
    time: int


@dataclass
class Walk:
    """One way down the chain of parents; `erased` is what the purges met on it tell."""

    history: History
    known: dict[str, Note]
    sealed: dict[str, str]
    found: dict[str, Note] = field(default_factory=dict)
    erased: Erased = field(default_factory=Erased)

    def go(self) -> None:
        id_ = self.history.head
        while id_ is not None:
            now = noted(self.history.path(id_))
            note = self.known.get(id_)
            if now is None or note is None or (now.size, now.time) != (note.size, note.time):
                note = self._read(id_, now)
            self.found[id_] = note
            id_ = note.parent

    def _read(self, id_: str, now: Note | None) -> Note:
        """Read a commit; of purges, the one that came last is met first, and counts."""
        if now is None:
            raise HistoryCorrupt(id_, "missing")
        commit = self.history.read(id_, self.sealed.get(id_))
        if commit.purge:
            self.sealed = {**commit.purge.redacted, **self.sealed}
            told = {"time": commit.time, "reason": commit.purge.reason}
            for subject in commit.purge.subjects:
                self.erased.subjects[subject] = told
        return Note(commit.parent, now.size, now.time)


def verify(history: History, *, thorough: bool = False) -> None:
    """Hold every commit to its name and to its parent, and `ERASED` to the commits of purges.

    Nothing is changed, but for the note.

    Raises:
        HistoryCorrupt: The first harm on the way down; `sound` tells what stands below it.
    """
    known = {} if thorough else _known(history)
    try:
        found = _verified(history, known)
    except HistoryCorrupt as fault:
        raise HistoryCorrupt(fault.commit, fault.harm, last_sound(history)) from fault
    if found != known:
        _note(history, found)


def _verified(history: History, known: dict[str, Note]) -> dict[str, Note]:
    erased = noted(history.folder / _ERASED)
    own = {_ERASED: erased} if erased else {}
    if known and known.get(_ERASED) == erased:
        walk = Walk(history, known, history.erased().redacted)
        walk.go()
        return walk.found | own
    walk = _walked(history)
    if walk.erased != _told(history):
        raise HistoryCorrupt(_ERASED, seals.harm_of(history.folder / _ERASED))
    return walk.found | own


def verify_head(history: History) -> None:
    """Hold the last commit to its name, and to a parent that is there.

    Raises:
        HistoryCorrupt: It is harmed, or its parent is not there.
    """
    if history.head is None:
        return
    parent = history.commit(history.head).parent
    if parent is not None and not history.holds(parent):
        raise HistoryCorrupt(parent, "missing")


def mend_erased(history: History) -> bool:
    """Make `ERASED` anew where it is not what commits of purges say; tell whether it was not.

    The caller holds the store's lock, and no purge is at work.

    Raises:
        HistoryCorrupt: A commit is harmed.
    """
    walk = _walked(history)
    if walk.erased == _told(history):
        return False
    history.remember(walk.erased)
    return True


def last_sound(history: History) -> str | None:
    """Return the commit that ends the longest chain of sound ones, None where there is none."""
    parents = dict(_sound(history))
    lengths = {id_: _length(id_, parents) for id_ in parents}
    best = max(lengths, key=lambda id_: lengths[id_], default=None)
    return best if best and lengths[best] else None


def _length(id_: str, parents: dict[str, str | None]) -> int:
    """Return how many commits a chain has, 0 where it does not reach a first one."""
    length, at = 0, id_
    while at in parents:
        length, parent = length + 1, parents[at]
        if parent is None:
            return length
        at = parent
    return 0


def _sound(history: History) -> Iterator[tuple[str, str | None]]:
    sealed: dict[str, str] = {}
    with suppress(HistoryCorrupt):
        sealed = history.erased().redacted
    for id_ in history.ids():
        with suppress(HistoryCorrupt):
            yield id_, history.read(id_, sealed.get(id_)).parent


def _walked(history: History) -> Walk:
    """Read the whole history, without believing `ERASED`."""
    walk = Walk(history, {}, {})
    walk.go()
    walk.erased.redacted.update(walk.sealed)
    return walk


def _told(history: History) -> Erased | None:
    try:
        return history.erased()
    except HistoryCorrupt:
        return None


def noted(path: Path) -> Note | None:
    """Return size and time of a file, None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return Note(None, status.st_size, status.st_mtime_ns)


def _note(history: History, found: dict[str, Note]) -> None:
    """Write the note, where this store may be written."""
    rows = (f"{id_} {n.parent or _NONE} {n.size} {n.time}\n" for id_, n in found.items())
    with suppress(OSError):
        files.replace(history.folder / FILE, "".join(rows).encode("ascii"))


def _known(history: History) -> dict[str, Note]:
    try:
        rows = (history.folder / FILE).read_text("ascii").splitlines()
        cells = [row.split(" ") for row in rows]
        return {c[0]: Note(None if c[1] == _NONE else c[1], int(c[2]), int(c[3])) for c in cells}
    except (OSError, ValueError, IndexError):
        return {}
