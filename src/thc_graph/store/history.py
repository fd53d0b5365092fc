"""History: the commits, append-only, and the truth; everything else is derived from it.

A commit is one gzip file named by its id: a line of JSON (metadata), then an RDF
Patch in canonical order. The id is the SHA-256 of both, so a commit cannot change
unnoticed. `HEAD` names the last acknowledged one.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from thc_graph.errors import HistoryCorrupt
from thc_graph.rdf.changes import ChangeSet, patch, read_patch
from thc_graph.schema.validation import Accepted
from thc_graph.store import files


@dataclass(frozen=True)
class Source:
    """The file a commit came from."""

    name: str
    sha256: str


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

    @property
    def short(self) -> str:
        return self.id[:8]


class History:
    """The commits of one store, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def head(self) -> str | None:
        """The id of the last acknowledged commit, None before the first."""
        path = self.folder / "HEAD"
        return path.read_text("ascii").strip() if path.exists() else None

    @property
    def since(self) -> float | None:
        """When the last commit was acknowledged, in seconds since 1970."""
        path = self.folder / "HEAD"
        return path.stat().st_mtime if path.exists() else None

    def __len__(self) -> int:
        return sum(1 for _ in self.folder.glob("[!.]*.patch.gz"))

    def record(
        self, accepted: Accepted, author: str, message: str, sources: tuple[Source, ...] = ()
    ) -> Commit:
        """Write an accepted change down for ever, and acknowledge it.

        The caller holds the store's lock. On return the commit survives a power cut.
        """
        change = accepted.change
        facts: dict[str, object] = {
            "parent": self.head,
            "author": author,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "message": message,
            "sources": [asdict(source) for source in sources],
            "added": len(change.added),
            "removed": len(change.removed),
        }
        text = "\n".join([json.dumps(facts, ensure_ascii=False, sort_keys=True), *patch(change)])
        id_ = hashlib.sha256(text.encode()).hexdigest()
        self.folder.mkdir(parents=True, exist_ok=True)
        files.replace(self._path(id_), gzip.compress(text.encode(), mtime=0))
        files.replace(self.folder / "HEAD", id_.encode("ascii"))
        return _commit(id_, facts)

    def commit(self, id_: str) -> Commit:
        return _commit(id_, json.loads(self._text(id_).partition("\n")[0]))

    def change(self, id_: str) -> ChangeSet:
        """Return what a commit changed.

        Raises:
            HistoryCorrupt: The file is not the one its name promises.
        """
        return read_patch(self._text(id_).partition("\n")[2])

    def log(self) -> Iterator[Commit]:
        """Yield the commits, the last one first."""
        id_ = self.head
        while id_ is not None:
            commit = self.commit(id_)
            yield commit
            id_ = commit.parent

    def tidy(self) -> None:
        """Remove what a crash left half written: it was never acknowledged."""
        for path in self.folder.glob(".*"):
            path.unlink()

    def _path(self, id_: str) -> Path:
        return self.folder / f"{id_}.patch.gz"

    def _text(self, id_: str) -> str:
        try:
            content = gzip.decompress(self._path(id_).read_bytes())
        except (OSError, EOFError) as fault:
            raise HistoryCorrupt(id_) from fault
        if hashlib.sha256(content).hexdigest() != id_:
            raise HistoryCorrupt(id_)
        return content.decode()


def _commit(id_: str, facts: dict[str, object]) -> Commit:
    sources = tuple(Source(**source) for source in facts.pop("sources"))  # type: ignore[attr-defined]
    return Commit(id=id_, sources=sources, **facts)  # type: ignore[arg-type]
