"""Touches: which commits touched an entity, and what each of them changed of it.

A commit may hold a million lines, there may be ten thousand commits, and a page asks for
one entity. So the subjects of all commits are kept beside the snapshot, as digests in
order, in segments that a publication links and adds to; one search in each finds the
commits of an entity, whatever their number. Segments are derived: where they are missing
or are not those of the snapshot, they are made from the history.
"""

import hashlib
import os
import shutil
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice, takewhile
from pathlib import Path
from typing import Final

from pyoxigraph import NamedNode

from thc_graph.rdf.changes import ChangeSet, read_patch
from thc_graph.store import segments
from thc_graph.store.history.commits import Commit, History
from thc_graph.store.snapshots.snapshot import Snapshot

WINDOW: Final = 1 << 20  # bytes searched without a pause
FOLDER: Final = "touches-2"  # another number where the segments are written otherwise
SIZE: Final = 8  # bytes of a digest: two subjects of a million share one by 1 in 10^7
HEAD: Final = struct.Struct(">II")  # the number of the first commit among all, how many there are
ID: Final = 32  # bytes of a commit's id; they follow the head, in order
ROW: Final = SIZE + 4  # a digest and the number of a commit; they follow the ids, sorted


@dataclass(frozen=True)
class Touch:
    """A commit and what it changed of one entity."""

    commit: Commit
    change: ChangeSet


@dataclass(frozen=True)
class Touches:
    history: History
    snapshot: Snapshot

    def of(self, iri: NamedNode, limit: int) -> Iterator[Touch]:
        """Yield the last commits that changed an entity, the newest first, read one by one."""
        return islice(self._of(iri), limit)

    def _of(self, iri: NamedNode) -> Iterator[Touch]:
        for id_ in takewhile(self.history.holds, self._touching(iri)):
            change = self._change(id_, iri)
            if change:
                yield Touch(self.history.told(id_), change)

    def last(self, iri: NamedNode) -> Commit | None:
        """Return the last commit that touched an entity; one of 10^7 may be another's."""
        id_ = next(self._touching(iri), None)
        known = id_ is not None and self.history.holds(id_)  # a replica may hold none
        return self.history.told(id_) if id_ is not None and known else None

    def _touching(self, iri: NamedNode) -> Iterator[str]:
        """Yield the ids of the commits that touched an entity, the newest first."""
        wanted = _digest(iri.value.encode())
        for pack in self.packs:
            yield from pack.touching(wanted, self._number)

    @cached_property
    def packs(self) -> tuple["Pack", ...]:
        """The segments, the newest first; made from the history where they are not there.

        They stay open: later publications remove the snapshot while some still read it.
        """
        found = _packs(self._folder)
        if _number(found, self.snapshot.commit) is not None:
            return found
        if not self.history.holds(self.snapshot.commit):  # a replica
            return ()
        return self._written() or (Pack(_whole(self.history, self.snapshot.commit)[0]),)

    @cached_property
    def _number(self) -> int:
        """The number of the snapshot's commit: a remote engine may be behind the segments."""
        return _number(self.packs, self.snapshot.commit) or 0

    @property
    def _folder(self) -> Path:
        return self.snapshot.path / FOLDER

    def _written(self) -> tuple["Pack", ...]:
        """Make the segments on disk, where this store may be written."""
        draft = self._folder.with_name(f".{FOLDER}-{os.getpid()}")
        if self.snapshot.commit != self.snapshot.path.name:
            return ()
        try:
            segments.alone(draft, partial(_write_whole, self.history, self.snapshot.commit))
            shutil.rmtree(self._folder, ignore_errors=True)
            draft.rename(self._folder)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
        return _packs(self._folder)

    def _change(self, id_: str, iri: NamedNode) -> ChangeSet:
        content = self.history.content(id_)
        kept = [
            row.decode() for mark in "DA" for row in _rows(content, f"\n{mark} {iri} ".encode())
        ]
        return read_patch("\n".join(["TX .", *kept, "TC ."]))


class Pack:
    """A segment, to be searched: little of it is read. It is open while it is held.

    Raises:
        OSError: It cannot be opened.
        struct.error: It is cut short.
    """

    def __init__(self, source: Path | bytes) -> None:
        self.descriptor = -1
        self.content = source if isinstance(source, bytes) else b""
        if isinstance(source, Path):
            self.descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        self.first: int
        self.count: int
        self.first, self.count = HEAD.unpack(self._read(0, HEAD.size))
        self.start = HEAD.size + ID * self.count
        size = len(self.content) or os.fstat(self.descriptor).st_size
        self.rows = (size - self.start) // ROW

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)

    def touching(self, digest: bytes, last: int) -> Iterator[str]:
        """Yield the ids of the commits up to a number that touched a subject, the newest first."""
        after = bisect_right(range(self.rows), digest + last.to_bytes(4), key=self._row)
        for place in range(after - 1, -1, -1):
            row = self._row(place)
            if not row.startswith(digest):
                return
            yield self.id(int.from_bytes(row[SIZE:]))

    def id(self, number: int) -> str:
        return self._read(HEAD.size + ID * (number - self.first), ID).hex()

    def number(self, id_: str) -> int | None:
        """Return a commit's number, None where it is not here; the last one is found at once."""
        if self.id(self.last) == id_:
            return self.last
        return next((each for each in range(self.first, self.last) if self.id(each) == id_), None)

    @property
    def last(self) -> int:
        """The number of the last commit."""
        return self.first + self.count - 1

    def _row(self, place: int) -> bytes:
        return self._read(self.start + ROW * place, ROW)

    def _read(self, start: int, size: int) -> bytes:
        if self.content:
            return self.content[start : start + size]
        return os.pread(self.descriptor, size, start)


def keep(
    history: History,
    commit: Commit,
    subjects: Iterable[NamedNode],
    folder: Path,
    former: Path | None,
) -> None:
    """Write a new commit's subjects into its snapshot's folder, beside those of all before it."""
    held = segments.listed(former / FOLDER) if former else []
    last = _last(held[-1].path) if held else None
    if last is None or last[1] != commit.parent:  # not those of the commit before
        segments.alone(folder / FOLDER, partial(_write_whole, history, commit.id))
        return
    number = last[0] + 1
    rows = _digests(number, (each.value for each in subjects))
    write = partial(_merge, number, commit.id, rows)
    segments.extend(folder / FOLDER, held[-1].path.parent, len(rows), write)


def _merge(number: int, id_: str, rows: list[bytes], path: Path, merged: list[Path]) -> None:
    """Write what some segments hold, and one commit more."""
    ids, first = [bytes.fromhex(id_)], number
    for each in reversed(merged):
        content = each.read_bytes()
        first, count = HEAD.unpack_from(content)
        start = HEAD.size + ID * count
        ids.insert(0, content[HEAD.size : start])
        rows = rows + [content[at : at + ROW] for at in range(start, len(content), ROW)]
    path.write_bytes(_content(first, ids, rows))


def _content(first: int, ids: list[bytes], rows: list[bytes]) -> bytes:
    """Return what a segment holds; `ids` are of one commit or of several, one after the other."""
    together = b"".join(ids)
    return b"".join([HEAD.pack(first, len(together) // ID), together, *sorted(rows)])


def _whole(history: History, head: str) -> tuple[bytes, int]:
    """Return one segment of all commits up to one, and how many rows it has."""
    ids, rows = [each.id for each in history.log(head)][::-1], list[bytes]()
    for number, id_ in enumerate(ids):
        lines = history.text(id_).split("\n")[2:-1]
        subjects = {line[3:].partition("> ")[0] for line in lines if line[2] == "<"}
        rows += _digests(number, subjects)
    return _content(0, [bytes.fromhex(each) for each in ids], rows), len(rows)


def _write_whole(history: History, head: str, path: Path) -> int:
    content, weight = _whole(history, head)
    path.write_bytes(content)
    return weight


def _packs(folder: Path) -> tuple[Pack, ...]:
    """Open the segments of a folder, the newest first; none where one of them is unsound."""
    try:
        return tuple(Pack(each.path) for each in segments.listed(folder)[::-1])
    except (OSError, struct.error):
        return ()


def _number(packs: Iterable[Pack], id_: str) -> int | None:
    """Return the number of a commit in some segments, None where none of them holds it."""
    numbers = (pack.number(id_) for pack in packs)
    return next((each for each in numbers if each is not None), None)


def _last(path: Path) -> tuple[int, str] | None:
    """Return the number and the id of the last commit of a segment, None where it is unsound."""
    with suppress(OSError, struct.error):
        pack = Pack(path)
        return pack.last, pack.id(pack.last)
    return None


def _digests(number: int, subjects: Iterable[str]) -> list[bytes]:
    """Return the rows of a commit."""
    end = number.to_bytes(4)
    return [_digest(each.encode()) + end for each in subjects]


def _rows(content: bytes, start: bytes) -> Iterator[bytes]:
    """Yield the lines that begin so: they follow one another, as a patch is sorted."""
    place = _find(content, start)
    while place >= 0 and content.startswith(start, place):
        end = content.index(b"\n", place + 1)
        yield content[place + 1 : end]
        place = end


def _find(content: bytes, start: bytes) -> int:
    """Return where a text begins, -1 where it does not; others may have their turn meanwhile."""
    windows = range(0, len(content), WINDOW)
    found = (content.find(start, place, place + WINDOW + len(start)) for place in windows)
    return next((place for place in found if place >= 0), -1)


def _digest(subject: bytes) -> bytes:
    return hashlib.blake2b(subject, digest_size=SIZE).digest()
