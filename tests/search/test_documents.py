"""A publication leaves no engine open behind it, whenever the collector of cycles comes."""

import subprocess
import sys

import pytest

from thc_graph.store.writes.repository import Repository

PUBLISHING = """
import gc, os, sys
from pathlib import Path
from pyoxigraph import NamedNode, Literal, Quad
from thc_graph.cli.app import repository
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import RDFS, THC, A
from thc_graph.schema.validation import Accepted
from thc_graph.instance.settings import read_settings

gc.collect()
gc.disable()
writable = repository(read_settings(Path(sys.argv[1])))
base = writable.derivation.base
for number in range(3):
    actor, graph = (NamedNode(f"{base}/{name}") for name in ("id/organisation/o", "graph/essai/o"))
    said = {A: THC["Organisation"], RDFS["label"]: Literal(f"Essai {number}", language="fr")}
    new = {Quad(actor, name, value, graph) for name, value in said.items()}
    old = set(writable.quads(graph.value))
    change = ChangeSet(frozenset(old - new), frozenset(new - old))
    with writable.writing() as writer, writable.draft(change) as draft:
        accepted = writable.check(change, draft)
        assert isinstance(accepted, Accepted), accepted
        writer.publish(draft, accepted, "essais", "Essai")
    handles = [os.readlink(each) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    print(sum(each.endswith("/quads/LOCK") for each in handles))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="open files are looked for in /proc")
def test_no_engine_outlives_its_publication(bare: Repository) -> None:
    """An engine that may write holds its folder's LOCK open; one that only reads does not."""
    command = [sys.executable, "-c", PUBLISHING, str(bare.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", "0", "0"]
