"""kill -9 at a hundred random moments of imports: what was acknowledged stands, the rest never was.

An import says each stage as it begins, and "publié" once it is acknowledged; it is killed while
it reads, validates, records, builds or publishes. The next command goes on from there.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, NamedNode

from thc_graph.store.writes.repository import Repository

pytestmark = pytest.mark.long

TIMES = 100
LONGEST = 90  # seconds in all; what was done until then is judged
ROWS = 10
PROGRAM = """
import os, sys
from pathlib import Path
from thc_graph.cli.app import repository
from thc_graph.instance.settings import read_settings
from thc_graph.sheets.imports.datasets import inputs
from thc_graph.sheets.imports.load import Options, load

store, sheet = map(Path, sys.argv[1:])
settings = read_settings(store)
found = repository(settings)
options = Options(base=settings.base, author="Essai", apply=True)
for _ in iter(sys.stdin.readline, ""):
    child = os.fork()
    if not child:
        print("enfant", os.getpid(), flush=True)
        report = load(inputs(sheet), found, options, lambda stage, *_: print(stage, flush=True))
        print("publié" if report.commit else "refusé", flush=True)
        os._exit(0)
    sys.stdin.readline()  # until then a dead child keeps its number: no other process is killed
    os.waitpid(child, 0)
    print("fini", flush=True)
"""


def slogans(found: Repository) -> set[str]:
    """Return what the published actors say: one sentence, unless an import is half visible."""
    snapshot = found.current()
    assert snapshot is not None
    store = snapshot.store()
    predicate = NamedNode("http://schema.org/slogan")
    quads = list(store.quads_for_pattern(None, predicate, None, DefaultGraph()))
    assert len(quads) in (0, ROWS)
    return {quad.object.value for quad in quads}


class Importer:
    """A process that has everything ready, and makes a child for each import: those are killed."""

    def __init__(self, store: Path, sheet: Path) -> None:
        self.sheet = sheet
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, store, sheet],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def load(self, number: int, seconds: float | None = None) -> list[str]:
        """Import a sheet, and kill the import after some time; return what it said until then."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        rows = [f"Acteur {i},association,Passage {number}" for i in range(ROWS)]
        self.sheet.write_text("\n".join(["Nom,Type d'acteur,Slogan", *rows]), "utf-8")
        print("importer", file=self.process.stdin, flush=True)
        child = self.process.stdout.readline().split()
        assert child[0] == "enfant"
        if seconds is not None:
            time.sleep(seconds)
            os.kill(int(child[1]), signal.SIGKILL)
        print("attendre", file=self.process.stdin, flush=True)
        return list(iter(lambda: self.process.stdout.readline().strip(), "fini"))


@pytest.fixture
def importer(bare: Repository, tmp_path: Path) -> Iterator[Importer]:
    made = Importer(bare.root, tmp_path / "acteurs.csv")
    yield made
    made.process.kill()
    made.process.communicate(timeout=30)


def test_a_killed_import_is_whole_or_absent(bare: Repository, importer: Importer) -> None:
    dice, killed = random.Random(7), Counter[str]()
    assert importer.load(-1)[-1] == "publié"  # once the process is ready
    began = time.monotonic()
    assert importer.load(0)[-1] == "publié"
    usual = time.monotonic() - began
    standing = {"Passage 0"}
    for number in range(1, TIMES + 1):
        if time.monotonic() - began > LONGEST:
            break
        said = importer.load(number, dice.uniform(0, 1.1) * usual)
        killed[said[-1] if said else "before"] += 1
        if "publié" in said:
            standing = {f"Passage {number}"}
        found = slogans(bare)  # a reader, before anyone has cleaned up
        assert found in (standing, {f"Passage {number}"})
        with bare.writing():  # the next command finishes or cleans up
            snapshot = bare.current()
        assert snapshot is not None
        assert snapshot.commit == bare.history.head
        assert not list((bare.root / "snapshots").glob(".draft-*"))
        assert not list((bare.root / "history").glob(".*"))
        standing = slogans(bare)
        assert standing in (found, {f"Passage {number}"})
    assert importer.load(TIMES + 1)[-1] == "publié"
    assert slogans(bare) == {f"Passage {TIMES + 1}"}
    assert len(killed) >= 4, killed  # the kills fell in several stages
