"""History: the commits, append-only, and the truth; everything else is derived from it.

A commit is one gzip file named by its id: a line of JSON (metadata), then an RDF
Patch in canonical order. The id is the SHA-256 of both, so a commit cannot change
unnoticed. `HEAD` names the last acknowledged one.

What the law wants erased is the one exception. A redacted commit keeps its id, so
that the chain of parents holds; the SHA-256 of what it holds from then on stands in
the commit of the purge, whose own id seals it. `ERASED` gathers these, to be looked up.
"""

import gzip
import hashlib
import io
import json
import shutil
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Final

from pyoxigraph import Quad

from thc_graph.errors import HistoryCorrupt
from thc_graph.rdf.changes import ChangeSet, patch, read_patch
from thc_graph.schema.validation import Accepted
from thc_graph.store import files
from thc_graph.store.layout import ID

ASIDE: Final = ".aside"  # a folder for what is being written: no listing of all commits finds it
SLACK: Final = timedelta(minutes=1)  # by which two clocks may differ unnoticed
LEVEL: Final = 6  # of nine, which takes three times as long for an eighth fewer bytes


@dataclass(frozen=True)
class Source:
    """The file a commit came from."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Purge:
    """What a commit erased from those before it, told so that nothing erased is in it.

    `subjects` are keyed digests of entities gone whole, `redacted` the SHA-256 of what
    a commit's file holds now, by its id.
    """

    reason: str
    subjects: tuple[str, ...]
    redacted: Mapping[str, str]


@dataclass(frozen=True)
class Erased:
    """All that purges left, as `Purge` tells it; `subjects` with time and reason."""

    subjects: dict[str, dict[str, str]] = field(default_factory=dict)
    redacted: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Commit:
    """One publication. `time` is ISO 8601 in UTC; `parent` is None for the first."""

    id: str
    parent: str | None
    author: str
    time: str
    message: str
    sources: tuple[Source, ...]
    added: int
    removed: int
    purge: Purge | None = None

    @property
    def short(self) -> str:
        return self.id[:8]


class History:
    """The commits of one store, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def head(self) -> str | None:
        """The id of the last acknowledged commit, None before the first.

        Raises:
            HistoryCorrupt: Commits follow one another, and nothing tells which is the last.
        """
        try:
            id_ = (self.folder / "HEAD").read_bytes().decode("ascii", "replace").strip()
        except FileNotFoundError:
            if self._was_acknowledged():
                raise HistoryCorrupt("HEAD", "missing") from None
            return None
        if not ID.fullmatch(id_):
            raise HistoryCorrupt("HEAD", "altered" if id_ else "empty")
        return id_

    def _was_acknowledged(self) -> bool:
        """Tell whether a commit follows another: first ones alone may be what crashes left."""
        try:
            return any(self.told(id_).parent for id_ in self.ids())
        except HistoryCorrupt:
            return True

    @property
    def since(self) -> float | None:
        """When the last commit was acknowledged, in seconds since 1970."""
        path = self.folder / "HEAD"
        return path.stat().st_mtime if path.exists() else None

    def ids(self) -> Iterator[str]:
        """Yield the ids of the commits, in no order."""
        for path in self.folder.glob("[!.]*.patch.gz"):
            yield path.name.partition(".")[0]

    def __len__(self) -> int:
        return sum(1 for _ in self.ids())

    def record(
        self,
        accepted: Accepted,
        author: str,
        message: str,
        sources: tuple[Source, ...] = (),
        purge: Purge | None = None,
    ) -> Commit:
        """Write an accepted change down for ever, and acknowledge it.

        The caller holds the store's lock. On return the commit survives a power cut.
        """
        change = accepted.change
        facts: dict[str, object] = {
            "parent": self.head,
            "author": author,
            "time": self._now(),
            "message": message,
            "sources": [asdict(source) for source in sources],
            "added": len(change.added),
            "removed": len(change.removed),
        } | ({"purge": asdict(purge)} if purge else {})
        line = json.dumps(facts, ensure_ascii=False, sort_keys=True)
        id_, content = _packed(chain([line], patch(change)))
        self._put(self.path(id_), content)
        self._put(self.folder / "HEAD", id_.encode("ascii"))
        return _commit(id_, facts)

    def _put(self, path: Path, content: bytes) -> None:
        aside = self.folder / ASIDE
        aside.mkdir(parents=True, exist_ok=True)
        files.replace(path, content, aside=aside)
        aside.rmdir()

    def _now(self) -> str:
        """Return the time of a new commit: never before its parent's, whatever the clock says."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return max(now, self.told(self.head).time) if self.head else now

    @property
    def is_ahead(self) -> bool:
        """Whether the last commit is later than this machine's clock, by more than a minute."""
        latest = (datetime.now(UTC) + SLACK).isoformat(timespec="seconds")
        return self.head is not None and self.told(self.head).time > latest

    def redact(self, texts: Mapping[str, str]) -> None:
        """Replace what commits hold, by id, once `ERASED` tells what they may hold."""
        erased = self.erased()
        erased.redacted.update({id_: _sha256(text.encode()) for id_, text in texts.items()})
        self.remember(erased)
        for id_, text in texts.items():
            self._put(self.path(id_), _packed([text])[1])

    def erased(self) -> Erased:
        """Return what purges left.

        Raises:
            HistoryCorrupt: `ERASED` cannot be read.
        """
        path = self.folder / "ERASED"
        try:
            return Erased(**json.loads(path.read_text("utf-8"))) if path.exists() else Erased()
        except (ValueError, TypeError) as fault:
            raise HistoryCorrupt("ERASED") from fault

    def remember(self, erased: Erased) -> None:
        text = json.dumps(asdict(erased), indent=1, sort_keys=True)
        self._put(self.folder / "ERASED", text.encode())

    def holds(self, id_: str) -> bool:
        return self.path(id_).exists()

    def commit(self, id_: str) -> Commit:
        return commit_of(id_, self.text(id_).partition("\n")[0])

    def change(self, id_: str) -> ChangeSet:
        """Return what a commit changed.

        Raises:
            HistoryCorrupt: The file is not the one its name promises.
        """
        return read_patch(self.text(id_).partition("\n")[2])

    def state(self, last: str) -> set[Quad]:
        """Return what stands after a commit, all changes played again.

        Raises:
            HistoryCorrupt: A commit on the way is harmed.
        """
        quads: set[Quad] = set()
        for commit in [*self.log(last)][::-1]:
            change = self.change(commit.id)
            quads.difference_update(change.removed)  # in place: a copy for each commit is too much
            quads.update(change.added)
        return quads

    def log(self, last: str | None = None) -> Iterator[Commit]:
        """Yield the commits, the last one first: that of `HEAD`, or another."""
        id_ = last or self.head
        while id_ is not None:
            commit = self.commit(id_)
            yield commit
            id_ = commit.parent

    def tidy(self) -> None:
        """Remove what a crash left half written: it was never acknowledged."""
        shutil.rmtree(self.folder / ASIDE, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what else is not ours to keep: a program of before wrote aside anywhere here."""
        for path in self.folder.glob(".*.*"):
            path.unlink()

    def path(self, id_: str) -> Path:
        return self.folder / f"{id_}.patch.gz"

    def text(self, id_: str) -> str:
        """Return a commit's line of metadata and its patch.

        Raises:
            HistoryCorrupt: The file holds neither what its name nor what a purge promises.
        """
        return self.content(id_).decode()

    def content(self, id_: str) -> bytes:
        """Return the same in UTF-8."""
        content = self._content(id_)
        digest = _sha256(content)
        if digest != id_ and digest != self.erased().redacted.get(id_):
            raise HistoryCorrupt(id_)
        return content

    def told(self, id_: str) -> Commit:
        """Return what a commit's first line tells; the rest is neither read nor held to its id.

        Raises:
            HistoryCorrupt: The line cannot be read.
        """
        try:
            with gzip.open(self.path(id_), "rt", encoding="utf-8") as lines:
                return commit_of(id_, lines.readline())
        except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as fault:
            raise HistoryCorrupt(id_) from fault

    def read(self, id_: str, sealed: str | None) -> Commit:
        """Return a commit whose file is sound, `ERASED` left aside: a purge may have `sealed` it.

        Raises:
            HistoryCorrupt: As `text` does.
        """
        content = self._content(id_)
        if _sha256(content) not in (id_, sealed):
            raise HistoryCorrupt(id_)
        return commit_of(id_, content.partition(b"\n")[0].decode())

    def digest(self, id_: str) -> str:
        """Return the SHA-256 of what a commit's file holds, whatever it is."""
        return _sha256(self._content(id_))

    def _content(self, id_: str) -> bytes:
        try:
            return gzip.decompress(self.path(id_).read_bytes())
        except FileNotFoundError as fault:
            raise HistoryCorrupt(id_, "missing") from fault
        except EOFError as fault:
            raise HistoryCorrupt(id_, "cut") from fault
        except (OSError, zlib.error) as fault:
            raise HistoryCorrupt(id_) from fault


def _packed(lines: Iterable[str]) -> tuple[str, bytes]:
    """Return the SHA-256 of some lines and their gzip; a large commit's text is never whole."""
    digest, content = hashlib.sha256(), io.BytesIO()
    rest, separator = iter(lines), b""
    with gzip.GzipFile(fileobj=content, mode="wb", compresslevel=LEVEL, mtime=0) as file:
        while some := list(islice(rest, 10_000)):
            piece = separator + "\n".join(some).encode()
            digest.update(piece)
            file.write(piece)
            separator = b"\n"
    return digest.hexdigest(), content.getvalue()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def commit_of(id_: str, line: str) -> Commit:
    """Return a commit from its line of metadata, as `text` gives it."""
    return _commit(id_, json.loads(line))


def _commit(id_: str, facts: dict[str, object]) -> Commit:
    sources = tuple(Source(**source) for source in facts.pop("sources"))  # type: ignore[attr-defined]
    told = facts.pop("purge", None)
    purge = Purge(told["reason"], tuple(told["subjects"]), told["redacted"]) if told else None  # type: ignore[index]
    return Commit(id=id_, sources=sources, purge=purge, **facts)  # type: ignore[arg-type]
