"""Recovery: what is derived is made again from the history, which is verified first.

A crash leaves the snapshot behind its history, and the next writer brings it up. A disk, a
hand or a copy may harm any file: what is derived is rebuilt, and told; the history can
only be refused, by the name of the file. Nothing is published upon either.
"""

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from thc_graph.errors import HistoryCorrupt, StoreLocked, StoreMissing, StoreUnsound
from thc_graph.store import layout
from thc_graph.store.history import erasure, verification
from thc_graph.store.history.commits import History
from thc_graph.store.snapshots import seals, snapshot
from thc_graph.store.snapshots.seals import Harm
from thc_graph.store.snapshots.snapshot import Snapshot
from thc_graph.store.writes.replay import compare

if TYPE_CHECKING:
    from thc_graph.store.writes.repository import Repository

_ERASED: Final = "history/ERASED"
_PATIENCE: Final = 10.0  # seconds to wait for a writer before harm is told
_PAUSE: Final = 0.02  # seconds between two tries of its lock
_LOG: Final = logging.getLogger(__name__)


def log(harmed: Iterable[Harm]) -> None:
    """Tell the log what is about to be made again."""
    for each in harmed:
        _LOG.warning("%s is %s: made again from the history.", each.file, each.harm)


def is_closed(root: Path) -> bool:
    """Tell whether a store cannot be written from here."""
    return not os.access(root, os.W_OK)


def look(root: Path, *, thorough: bool = False) -> list[Harm]:
    """Verify the history, and return what is harmed of all that is derived from it.

    What a disk lost by itself is found by a `thorough` look, which reads every byte.
    Harm is told once it was seen while nobody wrote: a purge changes many files, one by one.

    Raises:
        HistoryCorrupt: A file of the history is harmed.
    """
    with suppress(HistoryCorrupt):
        if not _looked(root, thorough=thorough):
            return []
    with _at_rest(root):
        return _looked(root, thorough=thorough)


@contextmanager
def _at_rest(root: Path) -> Iterator[None]:
    """Let nobody write meanwhile; who is at it for long, a purge, has said so on the disk."""
    end = time.monotonic() + _PATIENCE
    with ExitStack() as held:
        with suppress(OSError):  # nobody ever wrote here
            lock = held.enter_context((root / "lock").open("rb"))
            while not _is_shared(lock) and time.monotonic() < end:
                time.sleep(_PAUSE)
        yield


def _is_shared(lock: IO[bytes]) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return True
    return False


def _looked(root: Path, *, thorough: bool) -> list[Harm]:
    is_purging = (root / erasure.INTENT).exists()  # its end changes what is to be verified
    history = History(root / "history")
    published = pointed(root)  # first: the last commit may be a later one by then
    erased = [] if is_purging else harms_of_erased(history, thorough=thorough)
    _hold_head(history, published)
    return erased + harms(root, thorough=thorough)


def make_sure(repository: "Repository", *, thorough: bool = False) -> None:
    """Mend what a look finds harmed, before a store is used; only then is the lock taken.

    Raises:
        HistoryCorrupt: A file of the history is harmed.
        StoreUnsound: Another file is, and nothing can be written here.
        StoreLocked: Another file is, and another process is writing.
    """
    root = repository.root
    harmed = look(root, thorough=thorough)
    if not harmed:
        _catch_up(repository)
        return
    if is_closed(root):
        raise StoreUnsound(harmed[0].file, harmed[0].harm)
    for each in harmed:
        _expose(root / each.file)
    with repository.writing():
        if _ERASED in {each.file for each in harmed}:
            _mend_erased(repository)


def _catch_up(repository: "Repository") -> None:
    """Publish what is recorded and was not, as after a full disk; what stands is sound meanwhile.

    A writer at work does it itself. Where there is still no room, the next command tries again.
    """
    root = repository.root
    published = pointed(root)
    if published is None or published.commit == repository.history.head or is_closed(root):
        return
    try:
        with replace(repository, lock_seconds=0).writing():
            pass
    except StoreLocked:
        pass
    except (OSError, sqlite3.Error, ValueError) as fault:  # how the libraries tell of a full disk
        _LOG.warning("What is recorded is not published yet: %s", fault)


def sound(repository: "Repository") -> Snapshot | None:
    """Return the published snapshot, None where it is to be made, again or for the first time.

    The caller holds the store's lock. The last commit is verified, and its link to the one
    before; what that takes does not depend on how many there are.

    Raises:
        HistoryCorrupt: The last commit is harmed, or is not the last.
    """
    history = repository.history
    try:
        verification.verify_head(history)
    except HistoryCorrupt:
        if not _mend_erased(repository):
            raise
    published = pointed(repository.root)
    _hold_head(history, published)
    harmed = harms(repository.root) or (_seal(repository, published) if published else [])
    if harmed:
        repository.mending(harmed)
    return None if harmed else published


def harms(root: Path, *, thorough: bool = False) -> list[Harm]:
    """Return what is harmed of the published snapshot, by the files' paths from `root`."""
    try:
        published = snapshot.current(root)
    except StoreMissing:
        is_published = History(root / "history").head is not None
        return [Harm(snapshot.POINTER, "missing")] if is_published else []
    except StoreUnsound as fault:
        return [Harm(fault.file, fault.harm)]
    folder = f"snapshots/{published.commit}"
    if is_unsealed(root, published):
        return []
    found = seals.harms(published.path, thorough=thorough)
    return [replace(each, file=f"{folder}/{each.file}") for each in found]


def is_unsealed(root: Path, published: Snapshot) -> bool:
    """Tell whether a snapshot is of a version before seals, and so has none to be held to."""
    return layout.check(root) < layout.SEALED and seals.are_missing(published.path)


def _seal(repository: "Repository", published: Snapshot) -> list[Harm]:
    """Seal a snapshot of a version before seals; return what is harmed of it, if it is not sound.

    Nothing can be told of what stands beside the quads, but that it is there.
    """
    if not is_unsealed(repository.root, published):
        return []
    quads = f"snapshots/{published.commit}/quads"
    try:
        if not compare(repository, published).is_equal:
            return [Harm(quads, "altered")]
    except (StoreUnsound, OSError, RuntimeError) as fault:
        if isinstance(fault, HistoryCorrupt):
            raise
        return [Harm(quads, "unreadable")]
    seals.put(published.path, None)
    return []


def harms_of_erased(history: History, *, thorough: bool = False) -> list[Harm]:
    """Verify the history; only `ERASED`, which is made again from it, is returned.

    Raises:
        HistoryCorrupt: Another file of it is harmed.
    """
    try:
        verification.verify(history, thorough=thorough)
    except HistoryCorrupt as fault:
        if fault.file != _ERASED:
            raise
        return [Harm(fault.file, fault.harm)]
    return []


def pointed(root: Path) -> Snapshot | None:
    """Return the snapshot that `CURRENT` names, None where it names none."""
    with suppress(StoreMissing, StoreUnsound):
        return snapshot.current(root)
    return None


def _mend_erased(repository: "Repository") -> bool:
    harm = seals.harm_of(repository.root / _ERASED)
    is_mended = verification.mend_erased(repository.history)
    if is_mended:
        repository.mending([Harm(_ERASED, harm)])
    return is_mended


def _hold_head(history: History, published: Snapshot | None) -> None:
    if published is not None and _is_older(history, published.commit):
        raise HistoryCorrupt("HEAD", "altered" if history.head else "missing", published.commit)


def _is_older(history: History, published: str) -> bool:
    """Tell whether the last commit is one from before another, which was published."""
    head = history.head
    if head == published or not history.holds(published):
        return head is None
    with suppress(HistoryCorrupt):
        return head is None or any(each.id == head for each in history.log(published))
    return False


def _expose(path: Path) -> None:
    """Let every look read a file that a thorough one has found harmed: as one just written."""
    with suppress(FileNotFoundError):
        os.utime(path)
