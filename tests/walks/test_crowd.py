"""Thirty clients for ten seconds, over a store that stands still and over one republished.

The long run is `benchmarks/crowd.py`; this is the same program, its figures held loosely.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from thc_graph.store.writes.repository import Repository

CROWD = Path(__file__).parents[2] / "benchmarks" / "crowd.py"
MEBIBYTE = 1 << 20

pytestmark = [
    pytest.mark.all,
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="the crowd reads /proc"),
]


@pytest.mark.parametrize("options", [(), ("--republish",)], ids=["still", "republished"])
def test_a_crowd_is_served(demo: Repository, options: tuple[str, ...]) -> None:
    command = [sys.executable, str(CROWD), "--store", str(demo.root), "--clients", "30"]
    done = subprocess.run(
        [*command, "--seconds", "10", "--json", *options],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["faults"] == {}
    assert found["requests"] > 50
    assert found["publications"] >= (2 if options else 1)
    warm, _, rest = zip(*found["growth"].values(), strict=True)
    memory, handles, processes = (pair for pair in zip(warm, rest, strict=True))
    assert memory[1] < 1.5 * memory[0] + 64 * MEBIBYTE
    assert handles[1] < handles[0] + 60
    assert processes[1] <= processes[0]
