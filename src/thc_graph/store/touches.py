"""Touches: which commits touched an entity, and what each of them changed of it.

A commit may hold a million lines, and a page asks for one entity. So the subjects of
each commit are kept beside the snapshot, as sorted digests, and a commit's file is
opened only where one of its digests is asked for. These files are derived: a publication
links those of the former snapshot and adds its own; one that is missing is made when it
is asked for.
"""

import hashlib
import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from pyoxigraph import NamedNode

from thc_graph.rdf.changes import ChangeSet, read_patch
from thc_graph.store.history import Commit, History, commit_of
from thc_graph.store.snapshots import Snapshot

FOLDER: Final = "touches"
SIZE: Final = 8  # bytes of a digest: two subjects of a million share one by 1 in 10^7


@dataclass(frozen=True)
class Touch:
    """A commit and what it changed of one entity."""

    commit: Commit
    change: ChangeSet


@dataclass(frozen=True)
class Touches:
    history: History
    snapshot: Snapshot

    def of(self, iri: NamedNode, limit: int) -> list[Touch]:
        """Return the last commits that touched an entity, the newest first."""
        wanted, found = _digest(iri.value.encode()), list[Touch]()
        for commit, digests in self.walk():
            if len(found) == limit:
                break
            change = self._change(commit, iri) if _holds(digests, wanted) else ChangeSet()
            found.extend([Touch(commit, change)] if change else [])
        return found

    def last(self, iri: NamedNode) -> Commit | None:
        """Return the last commit that touched an entity; one of 10^7 may be another's."""
        wanted = _digest(iri.value.encode())
        return next((commit for commit, digests in self.all if _holds(digests, wanted)), None)

    @cached_property
    def all(self) -> tuple[tuple[Commit, bytes], ...]:
        """The commits with the digests of their subjects, the newest first, kept in memory."""
        return tuple(self.walk())

    def walk(self) -> Iterator[tuple[Commit, bytes]]:
        """Yield the commits with the digests of their subjects, the newest first."""
        id_: str | None = self.snapshot.commit
        while id_ is not None and self.history.holds(id_):  # a replica may hold none
            line, _, digests = self._subjects(id_).partition(b"\n")
            commit = commit_of(id_, line.decode())
            yield commit, digests
            id_ = commit.parent

    def _change(self, commit: Commit, iri: NamedNode) -> ChangeSet:
        text = self.history.text(commit.id)
        kept = [row for mark in "DA" for row in _rows(text, f"\n{mark} {iri} ")]
        return read_patch("\n".join(["TX .", *kept, "TC ."]))

    def _subjects(self, id_: str) -> bytes:
        """Return a commit's metadata, then the sorted digests of its subjects."""
        path = self.snapshot.path / FOLDER / name(self.history, id_)
        if not path.exists():
            self._keep(path, id_)
        return path.read_bytes() if path.exists() else self._made(id_)

    def _keep(self, path: Path, id_: str) -> None:
        """Link the file from a former snapshot or write it, where this store may be written."""
        others = self.snapshot.path.parent.glob(f"[!.]*/{FOLDER}/{path.name}")
        draft = path.with_name(f".{path.name}-{os.getpid()}")
        try:
            path.parent.mkdir(exist_ok=True)
            former = next(others, None)
            if former is not None:
                os.link(former, path)
                return
            draft.write_bytes(self._made(id_))
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)

    def _made(self, id_: str) -> bytes:
        line, _, text = self.history.text(id_).partition("\n")
        subjects = {row[2:].partition(" ")[0] for row in text.split("\n")[1:-1]}
        return _content(line, (each.strip("<>") for each in subjects))


def keep(
    history: History, id_: str, subjects: Iterable[NamedNode], folder: Path, former: Path | None
) -> None:
    """Write a new commit's subjects into its snapshot's folder, beside those of all before it."""
    place, names = folder / FOLDER, {name(history, each) for each in history.ids()}
    place.mkdir()
    for path in (former / FOLDER).glob("[!.]*") if former else ():
        if path.name in names:
            os.link(path, place / path.name)
    content = _content(history.line(id_), (each.value for each in subjects))
    (place / name(history, id_)).write_bytes(content)
    if names > {path.name for path in place.iterdir()}:  # the former snapshot lacked some
        for _ in Touches(history, Snapshot(id_, folder)).walk():
            pass


def name(history: History, id_: str) -> str:
    """Name a commit's digests after its file as it stands: what a purge rewrote is read anew."""
    return f"{id_[:16]}-{history.path(id_).stat().st_size}"


def _content(line: str, subjects: Iterable[str]) -> bytes:
    digests = sorted(_digest(each.encode()) for each in subjects)
    return line.encode() + b"\n" + b"".join(digests)


def _rows(text: str, start: str) -> Iterator[str]:
    """Yield the lines that begin so: they follow one another, as a patch is sorted."""
    place = text.find(start)
    while place >= 0 and text.startswith(start, place):
        end = text.index("\n", place + 1)
        yield text[place + 1 : end]
        place = end


def _digest(subject: bytes) -> bytes:
    return hashlib.blake2b(subject, digest_size=SIZE).digest()


def _holds(digests: bytes, wanted: bytes) -> bool:
    def at(place: int) -> bytes:
        return digests[SIZE * place : SIZE * (place + 1)]

    count = len(digests) // SIZE
    place = bisect_left(range(count), wanted, key=at)
    return place < count and at(place) == wanted
