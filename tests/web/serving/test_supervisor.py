"""The supervisor over real processes, each of which lives as it is told."""

import json
import signal
import subprocess
import sys
from itertools import repeat

import pytest

from thc_graph.web.serving.supervisor import DELAYS, KILLED, TRIES

pytestmark = pytest.mark.long

SECONDS = 60
FAILED, DIED = 1, KILLED + signal.SIGKILL
# One word a life; who lives longer than the words last ends well.
PROGRAM = """
import os, signal, sys
from thc_graph.web.http import logs
from thc_graph.web.serving import supervisor

logs.configure()
supervisor.SHORT = float(sys.argv[1])
supervisor.DELAYS = tuple(delay / 1000 for delay in supervisor.DELAYS)
post = supervisor.stand_by([])
life = dict(enumerate(sys.argv[2:])).get(post.restarts, "ends")
if "serves" in life:
    post.announce()
if "dies" in life:
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit("fails" in life)
"""


def lives(*words: str, short: float = 10.0) -> tuple[int, list[dict[str, object]]]:
    """Return the exit code and the log of a supervisor whose processes live so."""
    command = [sys.executable, "-c", PROGRAM, str(short), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.returncode, [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize(
    ("words", "code", "restarts"),
    [
        (["serves, fails", *repeat("fails", 99)], FAILED, TRIES),
        (["serves, dies", *repeat("fails", 99)], FAILED, TRIES),
        (["serves, dies", *repeat("dies", 99)], DIED, TRIES),
        ([*repeat("dies", 99)], DIED, TRIES - 1),
    ],
)
def test_what_starts_no_more_is_given_up(words: list[str], code: int, restarts: int) -> None:
    ended, (*deaths, last) = lives(*words)
    assert (ended, len(deaths)) == (code, restarts)
    assert (last["message"], last["starts"]) == ("the process that serves no longer starts", TRIES)


@pytest.mark.parametrize(
    ("words", "code", "restarts"),
    [
        (["fails"], FAILED, 0),
        (["dies", "fails"], FAILED, 1),
        ([*repeat("serves, dies", 20)], 0, 20),
        (["serves, dies", *repeat("fails", TRIES - 1)] * 3, 0, 3 * TRIES),
    ],
)
def test_what_serves_is_started_again(words: list[str], code: int, restarts: int) -> None:
    """However often, and whatever failed before; what never served and says why is not."""
    ended, log = lives(*words)
    assert (ended, len(log)) == (code, restarts)
    assert {line["message"] for line in log} <= {"the process that serves died"}


@pytest.mark.parametrize(("word", "waits"), [("serves, dies", False), ("dies", True)])
def test_a_start_that_fails_is_no_long_life(word: str, *, waits: bool) -> None:
    """However long it took: that is the start of a great store, and no reason for haste."""
    _, log = lives(word, word, word, short=0.0)
    delays = [line["again_in"] for line in log if "again_in" in line]
    assert delays == [delay / 1000 * waits for delay in DELAYS[:3]]
