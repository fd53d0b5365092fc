"""How children are started: nothing of ours may run between the fork and their program."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import thc_graph
from thc_graph.store.writes.repository import Repository

SECONDS = 60.0
# An engine that may write, left to the collector, hangs whatever closes it in a forked copy.
PARENT = """
import asyncio, gc, os, sys
import uvloop
from pathlib import Path
from pyoxigraph import NamedNode, Quad
from thc_graph.cli.app import repository
from thc_graph.rdf.changes import ChangeSet
from thc_graph.schema.validation import accept_unchecked
from thc_graph.instance.settings import read_settings
from thc_graph.store.engine.pool import Pool

def publish(writable, number):
    quad = Quad(*[NamedNode(f"urn:{number}")] * 3, NamedNode("urn:g"))
    change = ChangeSet(added=frozenset({quad}))
    with writable.writing() as writer, writable.draft(change) as draft:
        cycle = [draft.store]
        cycle.append(cycle)
        writer.publish(draft, accept_unchecked(change), "essais", "Essai")

async def run(writable):
    for _ in range(3):
        pool = Pool(writable.current().quads, 2)
        await pool.start()
        await pool.stop()
        print("started", flush=True)

gc.disable()
writable = repository(read_settings(Path(sys.argv[1])))
for number in range(3):
    publish(writable, number)
os.register_at_fork(after_in_child=gc.collect)
uvloop.run(run(writable))
"""


def test_no_collector_enters_a_child(bare: Repository) -> None:
    command = [sys.executable, "-c", PARENT, str(bare.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as parent:
        try:
            output, _ = parent.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(parent.pid, signal.SIGKILL)  # the copy that hangs with it
            output, _ = parent.communicate()
    assert output.split() == [b"started"] * 3


FORKING = re.compile(r"preexec_fn|os\.fork\b|forkpty|subprocess_exec|subprocess_shell|\"fork\"")


SOURCE = Path(thc_graph.__file__).parent
# It forks before any store is opened, any thread started.
SUPERVISOR = SOURCE / "web/serving/supervisor.py"


@pytest.mark.parametrize("path", sorted({*SOURCE.rglob("*.py")} - {SUPERVISOR}), ids=str)
def test_nothing_of_ours_runs_in_a_forked_copy(path: Path) -> None:
    """Each of these runs Python between the fork and the program; `subprocess` runs none."""
    assert not FORKING.search(path.read_text("utf-8"))
