"""Writes at the editors' door under two readers: nobody waits, nothing is lost.

The figures are printed by `benchmarks/writes.py`; this is the same program. Its ratio is
held loosely, for the machine that runs the tests does other things at the same time.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from thc_graph.store.writes.repository import Repository

WRITES = Path(__file__).parents[2] / "benchmarks" / "writes.py"
BESIDE = 4  # times the promise, which is of a machine that does nothing else: both cores run tests
NOISE = 20  # pages of thousands that wait for those tests

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="open files are in /proc")


@pytest.mark.parametrize(
    "writes",
    [
        pytest.param(60, marks=[pytest.mark.long, pytest.mark.all]),
        pytest.param(400, marks=pytest.mark.by_hand),
    ],
)
def test_readers_do_not_feel_writes(demo: Repository, writes: int) -> None:
    command = [sys.executable, str(WRITES), "--store", str(demo.root), "--writes", str(writes)]
    done = subprocess.run(
        [*command, "--json"], capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["in_history"] == writes
    assert found["faults"] == []
    assert found["engines_that_may_write"] == 0
    assert found["busy_health"] > writes / 10
    assert found["busy_health_most"] < 3
    assert found["p95_ratio"] < 3 * BESIDE
    assert sum(found["busy_slow"].values()) <= NOISE
