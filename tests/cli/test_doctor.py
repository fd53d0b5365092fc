"""`thc-graph doctor` on sound stores and on stores hurt in one place each."""

import gzip
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from pyoxigraph import DefaultGraph, NamedNode, Quad, Store
from typer.testing import CliRunner

from thc_graph.cli.app import app, repository
from thc_graph.cli.harms import WORDS
from thc_graph.instance.settings import read_settings
from thc_graph.rdf.terms import SKOS, THC
from thc_graph.store.history.erasure import Erasure
from thc_graph.store.snapshots import seals
from thc_graph.store.writes.repository import Repository

CLASS = THC["Engagement"]


@pytest.fixture
def sound(bare: Path) -> Repository:
    """A store without a fault, to hurt."""
    return repository(read_settings(bare))


def findings(root: Path, *options: str) -> tuple[int, dict[str, str]]:
    done = CliRunner().invoke(app, ["--store", str(root), "doctor", "--json", *options])
    assert done.stdout, done.exception
    return done.exit_code, {each["code"]: each["level"] for each in json.loads(done.stdout)}


def test_a_sound_store(sound: Repository) -> None:
    code, found = findings(sound.root)
    assert code == 0
    assert {"versions", "history", "snapshot"} <= found.keys()
    assert "fault" not in found.values()
    code, found = findings(sound.root, "--strict")
    assert (code, found["public-incomplete"]) == (4, "warning")


def test_after_a_purge(sound: Repository) -> None:
    with sound.writing() as writer:
        writer.purge(Erasure((CLASS.value,)), "Ville")
    assert findings(sound.root)[0] == 0


def commit_file(root: Path) -> Path:
    return next((root / "history").glob("*.gz"))


def cut_a_commit(root: Path) -> None:
    commit_file(root).write_bytes(commit_file(root).read_bytes()[:-1])


def rewrite_a_commit(root: Path) -> None:
    text = gzip.decompress(commit_file(root).read_bytes()).replace(b"thc-graph", b"thc-grapf")
    commit_file(root).write_bytes(gzip.compress(text))


def lose_a_commit(root: Path) -> None:
    commit_file(root).unlink()


def add_a_commit(root: Path) -> None:
    (root / "history" / f"{'0' * 64}.patch.gz").write_bytes(b"")


def lose_the_history(root: Path) -> None:
    shutil.rmtree(root / "history")


def lose_the_snapshot(root: Path) -> None:
    (root / "CURRENT").unlink()


def leave_a_draft(root: Path) -> None:
    (root / "snapshots" / ".draft-999999999-00").mkdir()


def begin_a_purge(root: Path) -> None:
    (root / "purge.json").write_text("{}")


def change_the_snapshot(root: Path) -> None:
    quads = root / "snapshots" / (root / "CURRENT").read_text() / "quads"
    store, node = Store(str(quads)), NamedNode("https://x/")
    store.add(Quad(node, SKOS["note"], node, node))
    store.remove(next(q for q in store if q.graph_name != DefaultGraph() and q.subject == CLASS))
    store.flush()


def break_the_engine(root: Path) -> None:
    quads = root / "snapshots" / (root / "CURRENT").read_text() / "quads"
    (quads / "CURRENT").write_text("MANIFEST-999999\n")


@pytest.mark.parametrize(
    ("hurt", "code", "level"),
    [
        (cut_a_commit, "commit-damaged", "fault"),
        (rewrite_a_commit, "commit-damaged", "fault"),
        (lose_a_commit, "commit-damaged", "fault"),
        (add_a_commit, "strays", "warning"),
        (lose_the_history, "history-missing", "fault"),
        (lose_the_snapshot, "snapshot-missing", "fault"),
        (leave_a_draft, "drafts", "warning"),
        (begin_a_purge, "purge-unfinished", "fault"),
        (change_the_snapshot, "snapshot-differs", "fault"),
        (break_the_engine, "snapshot-unreadable", "fault"),
        (break_the_engine, "children-broken", "fault"),
    ],
)
def test_a_hurt_store(
    sound: Repository, hurt: Callable[[Path], None], code: str, level: str
) -> None:
    hurt(sound.root)
    exit_code, found = findings(sound.root)
    assert found[code] == level
    assert exit_code == (1 if level == "fault" else 0)


def sealed(hurt: Callable[[Path], None]) -> Callable[[Path], None]:
    """Return the same harm under seals that hold, as a fault of ours would leave it."""

    def both(root: Path) -> None:
        hurt(root)
        seals.put(root / "snapshots" / (root / "CURRENT").read_text(), None)

    return both


def fall_behind(root: Path) -> None:
    """A crash between what is recorded and what is published."""
    found, former = repository(read_settings(root)), (root / "CURRENT").read_text()
    kept = shutil.copytree(root / "snapshots" / former, root / "kept")
    with found.writing() as writer:
        writer.purge(Erasure((CLASS.value,)), "Ville")
    shutil.rmtree(root / "snapshots")
    (root / "snapshots").mkdir()
    kept.rename(root / "snapshots" / former)
    (root / "CURRENT").write_text(former)


@pytest.mark.parametrize(
    ("hurt", "code"),
    [
        (lose_the_snapshot, "snapshot-missing"),
        (leave_a_draft, "drafts"),
        (change_the_snapshot, "snapshot-differs"),
        (sealed(change_the_snapshot), "snapshot-differs"),
        (break_the_engine, "snapshot-unreadable"),
        (sealed(break_the_engine), "snapshot-unreadable"),
        (sealed(break_the_engine), "children-broken"),
        (fall_behind, "snapshot-behind"),
    ],
)
def test_a_repair_makes_sound(sound: Repository, hurt: Callable[[Path], None], code: str) -> None:
    hurt(sound.root)
    assert code in findings(sound.root)[1]
    exit_code, found = findings(sound.root, "--repair")
    assert exit_code == 0
    assert code not in found
    assert {"history", "files", "snapshot"} <= found.keys()


def test_a_commit_from_before_a_purge_is_told(sound: Repository, tmp_path: Path) -> None:
    former = shutil.copy(commit_file(sound.root), tmp_path)
    with sound.writing() as writer:
        writer.purge(Erasure((CLASS.value,)), "Ville")
    shutil.copy(former, sound.root / "history")
    code, found = findings(sound.root)
    assert (code, found["redaction-unsealed"]) == (1, "fault")


def test_a_held_lock_is_told(sound: Repository) -> None:
    with sound.writing():
        done = CliRunner().invoke(app, ["--store", str(sound.root), "doctor"])
    assert str(os.getpid()) in done.stdout


def test_findings_have_words_in_both_languages() -> None:
    words = yaml.safe_load(WORDS.read_text("utf-8"))
    assert all(each.keys() == {"fr", "en"} and all(each.values()) for each in words.values())
