"""Artefacts: what stands beside a draft's quads, such as its index, is built from them.

That of a large draft is built ahead, in a process of its own, while the writer validates
and records: nobody writes the quads any more, and there is a second core.
"""

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, Protocol

from pyoxigraph import Literal, NamedNode

from thc_graph.processes.walls import depend_on
from thc_graph.store.snapshots.draft import Artefact, Draft
from thc_graph.store.snapshots.snapshot import Snapshot

LARGE: Final = 10_000  # touched entities from which a process of its own is worth its start


class Ahead:
    """Artefacts that another process builds, in a folder of their own until they are wanted."""

    def __init__(self, artefacts: tuple[Artefact, ...], draft: Draft) -> None:
        draft.store.flush()
        self.draft, self.folder = draft, draft.folder / "ahead"
        self.folder.mkdir()
        seen = self.folder, draft.previous, frozenset(draft.touched), draft.quads
        self._process = get_context("spawn").Process(
            target=_build, args=(os.getpid(), artefacts, *seen), daemon=True
        )
        self._process.start()

    @classmethod
    @contextmanager
    def of(cls, artefacts: tuple[Artefact, ...], draft: Draft) -> Iterator["Ahead"]:
        """Build a draft's artefacts ahead while the context lasts; `furnish` then fetches them."""
        ahead = cls(artefacts, draft)
        draft.fetch = ahead.fetch
        try:
            yield ahead
        finally:
            ahead.stop()

    def fetch(self) -> bool:
        """Wait for the artefacts, and put them beside the quads; say whether they are there."""
        self._process.join()
        is_built = self._process.exitcode == 0
        for path in self.folder.iterdir() if is_built else ():
            path.rename(self.draft.folder / path.name)
        shutil.rmtree(self.folder)
        return is_built

    def stop(self) -> None:
        self._process.kill()
        self._process.join()


def furnish(artefacts: Iterable[Artefact], draft: Draft) -> None:
    """Give a draft its artefacts; over no previous snapshot they are built anew, whole.

    What was built ahead is fetched; where that failed, they are built here.
    """
    if draft.fetch is not None and draft.fetch():
        return
    for artefact in artefacts:
        artefact(draft)


def _build(
    parent: int,
    artefacts: tuple[Artefact, ...],
    folder: Path,
    previous: Snapshot | None,
    touched: frozenset[NamedNode],
    quads: Path,
) -> None:
    """Build artefacts, as a child does; where it fails, its parent will say why, or manage."""
    depend_on(parent)
    try:
        furnish(artefacts, Draft.seen(folder, previous, touched, quads))
    except Exception:  # noqa: BLE001 - no traceback of a child among what a person reads
        os._exit(1)


class Index(Protocol):
    """What finds and counts entities; a query and a place are of the index's own."""

    def words(self, text: str) -> list[str]: ...
    def patterns(self, text: str) -> list[str]: ...
    def listed(
        self, kind: str, begun: Sequence[str], filters: Mapping[str, Collection[str]]
    ) -> Any: ...
    def meeting(self, asked: Any, facet: str, values: Collection[str]) -> Any: ...
    def between(self, asked: Any, field: str, first: int, last: int) -> Any: ...
    def total(self, asked: Any) -> int: ...
    def values(
        self, asked: Any, facet: str, most: int = ..., among: Collection[str] | None = ...
    ) -> dict[str, int]: ...
    def counts(
        self, asked: Any, field: str, most: int = ..., among: Collection[str] | None = ...
    ) -> dict[str, int]: ...
    def select(
        self, asked: Any, order: str, offset: int, limit: int, *, descending: bool = False
    ) -> tuple[int, list[str]]: ...
    def places(self, iris: Collection[str], language: str) -> dict[str, Any]: ...
    def labels(self, iris: Collection[str], language: str) -> Mapping[str, Literal | None]: ...
