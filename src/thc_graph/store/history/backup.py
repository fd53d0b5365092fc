"""Backup: a whole store at one commit, taken while it is served and written to.

Nothing is locked. Commits and snapshots do not change once they are published, so a
backup follows the commit that `CURRENT` names and leaves later ones out. History and
private files are copied; the snapshot, which can be rebuilt, is linked where it can be.
A purge is the one thing that changes what stands: if one begins meanwhile, all is
taken again.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from thc_graph.errors import BackupDamaged, StoreBusy, StoreNotEmpty, StoreTooNew
from thc_graph.store import files, layout
from thc_graph.store.history import erasure
from thc_graph.store.history.commits import History
from thc_graph.store.snapshots import snapshot as snapshots

MANIFEST: Final = "manifest.json"
ATTEMPTS: Final = 5  # while publications or a purge pull the ground away
OWN: Final = frozenset({"lock", "history", "snapshots", "CURRENT", erasure.INTENT})


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: each file's SHA-256, by its path; `time` is ISO 8601 in UTC."""

    format: int
    commit: str
    time: str
    files: dict[str, str]


def back_up(root: Path, destination: Path, *, history_only: bool = False) -> Manifest:
    """Put a copy of a store at `destination`, which appears there whole or not at all.

    Raises:
        StoreMissing: Nothing was ever published here.
        StoreNotEmpty: There is something at `destination`.
        StoreBusy: The store changed faster than it could be copied.
    """
    _check_empty(destination)
    layout.check(root)
    for _ in range(ATTEMPTS):
        with _aside(destination) as aside:
            state = _state(root)
            try:
                manifest = _take(root, aside, history_only=history_only)
            except FileNotFoundError:
                snapshots.current(root)  # raises where there is no store at all
                continue
            if state is not None and state == _state(root):
                aside.rename(destination)
                files.sync(destination.parent)
                return manifest
    raise StoreBusy


def restore(source: Path, root: Path, *, history_only: bool = False) -> Manifest:
    """Put a backup into an empty folder; without a snapshot, the next writer rebuilds it.

    Raises:
        BackupDamaged: A file is missing or is not what the manifest says.
        StoreNotEmpty: There is something in `root`.
        StoreTooNew: A newer program made this backup.
    """
    _check_empty(root)
    manifest = read_manifest(source)
    if manifest.format > layout.FORMAT:
        raise StoreTooNew(manifest.format, layout.FORMAT)
    root.mkdir(parents=True, exist_ok=True)
    aside = root / f".restore.{os.getpid()}"  # within: the folder may be a disk of its own
    try:
        for name, sha256 in manifest.files.items():
            if not history_only or _is_of_history(name):
                _bring_back(source, name, sha256, aside)
        for path in sorted(aside.iterdir(), key=lambda path: path.name == "settings.yaml"):
            path.rename(root / path.name)  # the settings last: without them there is no store
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    files.sync(root)
    return manifest


def read_manifest(source: Path) -> Manifest:
    try:
        manifest = Manifest(**json.loads((source / MANIFEST).read_text("utf-8")))
    except (OSError, ValueError, TypeError) as fault:
        raise BackupDamaged(MANIFEST) from fault
    for name in manifest.files:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise BackupDamaged(MANIFEST)
    return manifest


def _state(root: Path) -> dict[str, Any] | None:
    """Return what only a purge changes, None while one is at work."""
    erased = History(root / "history").erased()
    return None if (root / erasure.INTENT).exists() else asdict(erased)


def _take(root: Path, aside: Path, *, history_only: bool) -> Manifest:
    snapshot, history = snapshots.current(root), History(root / "history")
    for path in _private(root):
        _copy(path, aside / path.relative_to(root))
    for commit in history.log(snapshot.commit):
        _copy(history.path(commit.id), aside / "history" / history.path(commit.id).name)
    if (history.folder / "ERASED").exists():
        _copy(history.folder / "ERASED", aside / "history" / "ERASED")
    _write(aside / "history" / "HEAD", snapshot.commit)
    if not history_only:
        _link(snapshot.path, aside / "snapshots" / snapshot.commit)
        _write(aside / "CURRENT", snapshot.commit)
    return _sealed(aside, snapshot.commit)


def _sealed(folder: Path, commit: str) -> Manifest:
    """Write the manifest of a folder, once all that it names is on disk."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {path.relative_to(folder).as_posix(): _sha256(path) for path in found}
    time = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = Manifest(layout.FORMAT, commit, time, digests)
    _write(folder / MANIFEST, json.dumps(asdict(manifest), indent=1))
    for path in (*found, *(each for each in folder.rglob("*") if each.is_dir()), folder):
        files.sync(path)
    return manifest


def _private(root: Path) -> Iterator[Path]:
    """Yield what belongs to a store beside history and snapshots: settings, journal, keys."""
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        is_own = parts[0] in OWN or any(part.startswith(".") for part in parts)
        if path.is_file() and not is_own:
            yield path


def _bring_back(source: Path, name: str, sha256: str, aside: Path) -> None:
    try:
        _copy(source / name, aside / name)
    except OSError as fault:
        raise BackupDamaged(name) from fault
    if _sha256(aside / name) != sha256:
        raise BackupDamaged(name)


def _is_of_history(name: str) -> bool:
    return name != "CURRENT" and not name.startswith("snapshots/")


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoreNotEmpty(str(folder))


@contextmanager
def _aside(destination: Path) -> Iterator[Path]:
    destination.parent.mkdir(parents=True, exist_ok=True)
    aside = destination.with_name(f".{destination.name}.{os.getpid()}")
    aside.mkdir()
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)  # the mode too: a key stays private


def _link(folder: Path, target: Path) -> None:
    """Link a folder's files, or copy them to another disk."""
    for path in folder.rglob("*"):
        place = target / path.relative_to(folder)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.hardlink_to(path)
        except FileNotFoundError:
            raise
        except OSError:
            _copy(path, place)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
