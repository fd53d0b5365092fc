"""Backups taken under a busy writer, restored, damaged; and stores of older programs."""

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store

from thc_graph.errors import (
    BackupDamaged,
    StoreBusy,
    StoreMissing,
    StoreNotEmpty,
    StoreTooNew,
)
from thc_graph.instance.settings import resources
from thc_graph.rdf.changes import ChangeSet, patch
from thc_graph.schema.model import Schema
from thc_graph.schema.validation import accept_unchecked
from thc_graph.store import layout
from thc_graph.store.history import purge
from thc_graph.store.history.backup import back_up, read_manifest, restore
from thc_graph.store.history.erasure import Erasure
from thc_graph.store.library import Library
from thc_graph.store.snapshots.derivation import Derivation
from thc_graph.store.writes.repository import Repository

pytestmark = pytest.mark.long

BASE = "https://x"
COUNT, GRAPH = NamedNode("https://x/count"), NamedNode("https://x/graph/g")
PUBLISH = """
import sys
from pathlib import Path
from test_backup import empty, publish
repository = empty(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    publish(repository, number)
    print(number, flush=True)
"""


def empty(root: Path) -> Repository:
    library = Library(resources().queries_folder)
    return Repository(root, Schema({}, {}, {}, {}, (), ()), Derivation(library, BASE))


def quad(number: int) -> Quad:
    return Quad(NamedNode(f"https://x/{number}"), COUNT, Literal(number), GRAPH)


def publish(repository: Repository, number: int) -> None:
    change = ChangeSet(added=frozenset({quad(number)}))
    with repository.writing() as writer, repository.draft(change) as draft:
        writer.publish(draft, accept_unchecked(change), "Ville", f"Numéro {number}")


def numbers(store: Store) -> set[int]:
    found = store.quads_for_pattern(None, COUNT, None, DefaultGraph())
    return {int(quad.object.value) for quad in found}


@pytest.fixture
def store(tmp_path: Path) -> Repository:
    repository = empty(tmp_path / "store")
    for number in range(1, 4):
        publish(repository, number)
    (repository.root / "settings.yaml").write_text("title: Essai\n")
    return repository


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Path]:
    """Give a store to which another process publishes without pause."""
    root = tmp_path / "busy"
    argv = [sys.executable, "-c", PUBLISH, str(root)]
    place = {"PYTHONPATH": f"{Path(__file__).parent}:{':'.join(sys.path)}"}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=place) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        yield root
        assert process.poll() is None  # it never noticed
        process.kill()


@pytest.mark.parametrize("history_only", [False, True])
def test_a_backup_under_a_busy_writer_is_whole(
    writer: Path, tmp_path: Path, *, history_only: bool
) -> None:
    seen = set()
    for turn in range(5):
        place = tmp_path / f"backup-{turn}"
        manifest = back_up(writer, place, history_only=history_only)
        restored = empty(tmp_path / f"restored-{turn}")
        restore(place, restored.root)
        with restored.writing():
            pass
        snapshot = restored.current()
        assert snapshot is not None
        assert snapshot.commit == restored.history.head == manifest.commit
        length = len([*restored.history.log()])
        assert numbers(snapshot.store()) == set(range(1, length + 1))
        seen.add(length)
    assert len(seen) > 1
    assert not list(tmp_path.glob(".backup*"))


def test_restoring_gives_the_same_store(store: Repository, tmp_path: Path) -> None:
    (store.root / "journal").mkdir()
    (store.root / "journal" / "1.json").write_text("{}")
    with store.writing() as writer:
        writer.purge(Erasure(("https://x/2",)), "Ville")
    back_up(store.root, tmp_path / "backup")
    shutil.rmtree(store.root)
    restore(tmp_path / "backup", store.root)
    with store.writing():
        pass
    snapshot = store.current()
    assert snapshot is not None
    assert numbers(snapshot.store()) == {1, 3}
    assert (store.root / "journal" / "1.json").exists()
    assert (store.root / "purge.key").stat().st_mode & 0o077 == 0
    publish(store, 4)


def files_of(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.stat().st_size]


@pytest.mark.parametrize("kind", ["history/", "snapshots/", "settings.yaml", "manifest.json"])
def test_a_byte_short_is_refused_and_named(store: Repository, tmp_path: Path, kind: str) -> None:
    backup = tmp_path / "backup"
    back_up(store.root, backup)
    name = next(each for each in files_of(backup) if each.startswith(kind) and "." in each)
    content = (backup / name).read_bytes()
    (backup / name).unlink()  # a snapshot's file is a link
    (backup / name).write_bytes(content[:-1] if kind != "manifest.json" else content[:-2])
    with pytest.raises(BackupDamaged) as caught:
        restore(backup, tmp_path / "restored")
    assert caught.value.file == name
    assert not list((tmp_path / "restored").glob("*"))
    if kind == "snapshots/":
        restore(backup, tmp_path / "restored", history_only=True)
        with empty(tmp_path / "restored").writing():
            pass
        assert numbers(Store.read_only(str(current_quads(tmp_path / "restored")))) == {1, 2, 3}


def current_quads(root: Path) -> Path:
    return root / "snapshots" / (root / "CURRENT").read_text() / "quads"


def test_nothing_is_written_over(store: Repository, tmp_path: Path) -> None:
    back_up(store.root, tmp_path / "backup")
    with pytest.raises(StoreNotEmpty):
        back_up(store.root, tmp_path / "backup")
    with pytest.raises(StoreNotEmpty):
        restore(tmp_path / "backup", store.root)
    with pytest.raises(StoreMissing):
        back_up(tmp_path / "nowhere", tmp_path / "another")


def test_a_store_that_is_being_purged_is_not_copied(store: Repository, tmp_path: Path) -> None:
    purge.begin(store.root, store.history, Erasure(("https://x/2",)), "Ville")
    with pytest.raises(StoreBusy):
        back_up(store.root, tmp_path / "backup")
    assert not list(tmp_path.glob("*backup*"))
    with store.writing():
        pass
    back_up(store.root, tmp_path / "backup")
    assert "purge.json" not in read_manifest(tmp_path / "backup").files


def test_a_manifest_cannot_reach_outside(store: Repository, tmp_path: Path) -> None:
    back_up(store.root, tmp_path / "backup")
    path = tmp_path / "backup" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"]["../escaped"] = "00"
    path.write_text(json.dumps(manifest))
    with pytest.raises(BackupDamaged):
        restore(tmp_path / "backup", tmp_path / "restored")


def build_format_0(root: Path) -> None:
    """Make a store as version 0.1.0 left it: no mark, and commits of those fields only."""
    (root / "history").mkdir(parents=True)
    parent = None
    for number in (1, 2):
        facts = {
            "parent": parent,
            "author": "Ville",
            "time": f"2026-01-0{number}T00:00:00+00:00",
            "message": "Import",
            "sources": [{"name": "a.csv", "sha256": "00" * 32}],
            "added": 1,
            "removed": 0,
        }
        lines = patch(ChangeSet(added=frozenset({quad(number)})))
        text = "\n".join([json.dumps(facts, ensure_ascii=False, sort_keys=True), *lines])
        parent = hashlib.sha256(text.encode()).hexdigest()
        content = gzip.compress(text.encode(), mtime=0)
        (root / "history" / f"{parent}.patch.gz").write_bytes(content)
    assert parent
    (root / "history" / "HEAD").write_text(parent)
    quads = root / "snapshots" / parent / "quads"
    quads.mkdir(parents=True)
    engine = Store(str(quads))
    engine.extend([quad(1), quad(2), *(Quad(*quad(n).triple) for n in (1, 2))])
    engine.flush()
    (root / "CURRENT").write_text(parent)
    (root / "settings.yaml").write_text("base: https://x\nworkers: 1\n")


@pytest.mark.parametrize("has_snapshot", [True, False])
def test_an_older_store_opens_and_goes_on(tmp_path: Path, *, has_snapshot: bool) -> None:
    repository = empty(tmp_path / "old")
    build_format_0(repository.root)
    if not has_snapshot:
        shutil.rmtree(repository.root / "snapshots")
        (repository.root / "CURRENT").unlink()
    assert layout.check(repository.root) == 0
    publish(repository, 3)
    assert layout.check(repository.root) == layout.FORMAT
    snapshot = repository.current()
    assert snapshot is not None
    assert numbers(snapshot.store()) == {1, 2, 3}
    back_up(repository.root, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "new")
    again = replace(repository, root=tmp_path / "new")
    assert [commit.message for commit in again.history.log()] == ["Numéro 3", "Import", "Import"]


def test_a_newer_store_is_refused(store: Repository) -> None:
    (store.root / layout.MARK).write_text("99\n")
    with pytest.raises(StoreTooNew):
        store.current()
    with pytest.raises(StoreTooNew), store.writing():
        pass
