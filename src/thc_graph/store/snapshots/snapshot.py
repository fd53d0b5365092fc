"""Snapshots: one commit's quads, built once, then only ever read.

A snapshot is a folder named by its commit. It is built as a draft under a dotted
name and appears under its own by a single rename; then `CURRENT` names it. A
reader sees all of it or none.

Named graphs hold the quads of history and the derived facts. The default graph is
their union, written out: the engine's own union returns a triple twice when it
stands in two graphs, and SPARQL's default graph is a set (SPARQL 1.1, section 13).
Graphs of provenance stay out of it: they speak of rows of files, not of the world.
In conformance mode the default graph holds quads of its own instead.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import Store

from thc_graph.errors import StoreMissing, StoreUnsound
from thc_graph.store import layout
from thc_graph.store.snapshots import claims

POINTER = "CURRENT"  # the file that names the published one
KEPT = 3  # snapshots kept beside one another; any other can be rebuilt from history


@dataclass(frozen=True)
class Snapshot:
    """A commit's read-only folder."""

    commit: str
    path: Path

    @property
    def quads(self) -> Path:
        """The engine's folder, to open read-only."""
        return self.path / "quads"

    def store(self) -> Store:
        """Open the engine, read-only.

        Raises:
            StoreUnsound: It finds its files harmed.
        """
        try:
            return Store.read_only(str(self.quads))
        except (OSError, RuntimeError) as fault:
            raise StoreUnsound(f"snapshots/{self.path.name}/quads", "unreadable") from fault


def current(root: Path) -> Snapshot:
    """Return the published snapshot of the store in `root`.

    Raises:
        StoreMissing: Nothing was ever published here.
        StoreTooNew: A newer program wrote this store.
        StoreUnsound: `CURRENT` names no snapshot that is there.
    """
    layout.check(root)
    try:
        commit = (root / POINTER).read_bytes().decode("ascii", "replace").strip()
    except FileNotFoundError:
        raise StoreMissing(str(root)) from None
    path = root / "snapshots" / commit
    if not layout.ID.fullmatch(commit):
        raise StoreUnsound(POINTER, "altered" if commit else "empty")
    if not path.is_dir():
        raise StoreUnsound(f"snapshots/{commit}", "missing")
    return Snapshot(commit, path)


def tidy(root: Path, keep: Snapshot | None) -> None:
    """Remove drafts of dead processes, and all but the last few snapshots."""
    folder = root / "snapshots"
    for path in claims.abandoned(root):
        shutil.rmtree(path, ignore_errors=True)
    kept = sorted(folder.glob("[!.]*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[KEPT:]:
        if keep is None or path != keep.path:
            shutil.rmtree(path, ignore_errors=True)


def ground(snapshot: Snapshot | None) -> int | None:
    """Return what tells a snapshot's folder from one made again in its place."""
    return snapshot.path.stat().st_ino if snapshot else None
