"""kill -9 at random moments of an import: what was acknowledged stands, the rest never was."""

import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from pyoxigraph import DefaultGraph, NamedNode

from thc_graph.rdf.terms import RDFS
from thc_graph.store.publication import Repository

TIMES = 20
PROGRAM = "from thc_graph.cli import main; main()"


def start(store: Path, sheet: Path) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", PROGRAM, "--store", str(store), "import", str(sheet), "--apply"]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def write(sheet: Path, number: int) -> None:
    rows = [f"Acteur {i},association,Passage {number}" for i in range(50)]
    sheet.write_text("\n".join(["Nom,Type d'acteur,Slogan", *rows]), "utf-8")


def slogans(repository: Repository) -> set[str]:
    snapshot = repository.current()
    assert snapshot is not None
    store, found = snapshot.store(), set()
    predicate = NamedNode("http://schema.org/slogan")
    for quad in store.quads_for_pattern(None, predicate, None, DefaultGraph()):
        label = next(store.quads_for_pattern(quad.subject, RDFS["label"], None, None))
        if label.object.value.startswith("Acteur "):
            found.add(quad.object.value)
    return found


def test_a_killed_import_is_whole_or_absent(demo: Repository, tmp_path: Path) -> None:
    repository = replace(demo, root=tmp_path / "store")
    shutil.copytree(demo.root, repository.root)
    sheet, dice = tmp_path / "acteurs.csv", random.Random(7)
    write(sheet, 0)
    began = time.monotonic()
    first = start(repository.root, sheet)
    first.communicate(timeout=60)
    assert first.returncode == 0
    usual = time.monotonic() - began
    standing = {"Passage 0"}
    for number in range(1, TIMES + 1):
        write(sheet, number)
        process = start(repository.root, sheet)
        time.sleep(dice.uniform(0.3, 1.1) * usual)
        process.send_signal(signal.SIGKILL)
        _, told = process.communicate(timeout=30)
        with repository.writing():  # the next writer finishes or cleans up
            snapshot = repository.current()
        assert snapshot is not None
        assert snapshot.commit == repository.history.head
        assert not list((repository.root / "snapshots").glob(".draft-*"))
        found = slogans(repository)
        if "Publié".encode() in told:
            standing = {f"Passage {number}"}
        assert found in (standing, {f"Passage {number}"})
        standing = found
