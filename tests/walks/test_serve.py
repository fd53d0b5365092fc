"""`thc-graph serve` as a service manager runs it: a real process, real signals."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from thc_graph.settings import Settings, write_settings
from thc_graph.store.publication import Repository

PROGRAM = "from thc_graph.cli import main; main()"
RUNAWAY = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
SECONDS = 30


def command(store: Path, *options: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, "--store", str(store), "serve", *options]


@contextmanager
def serving(store: Path, **settings: Any) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Give a server that listens, and a client of it; its log is on its stderr."""
    write_settings(Settings(store, workers=1, **settings))
    argv = command(store, "--port", "0")
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        try:
            with httpx.Client(base_url=f"http://{_address(process)}", timeout=SECONDS) as client:
                yield process, client
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        told = json.loads(line)
        if told["message"] == "listening":
            return "{}:{}".format(*told["address"])
    raise AssertionError("The server did not start.")


def children(parent: int) -> set[int]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.add(int(path.parent.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="children are counted in /proc")
def test_a_stop_lets_answers_in_flight_end(bare: Repository) -> None:
    options = {"seconds": 3.0, "drain_seconds": 1.0}
    with serving(bare.root, **options) as (process, client), ThreadPoolExecutor() as threads:
        born = children(process.pid)
        assert len(born) == 2
        slow = threads.submit(client.get, "/sparql", params={"query": RUNAWAY})
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        statuses = []
        while 503 not in statuses:
            statuses.append(client.get("/readyz").status_code)
        assert client.get("/").status_code == 200  # not ready, and still answering
        answer = slow.result(timeout=SECONDS)
        assert answer.json()["code"] == "QueryTimeout"
        assert process.wait(timeout=SECONDS) == 0
        assert not any(Path(f"/proc/{child}").exists() for child in born)
        log = [json.loads(line) for line in process.stderr or ()]
    assert {line["route"] for line in log if "route" in line} >= {"/sparql", "/readyz"}


@pytest.mark.skipif(sys.platform != "linux", reason="children are counted in /proc")
def test_a_stop_is_bounded(bare: Repository) -> None:
    options = {"seconds": 600.0, "drain_seconds": 0.0, "stop_seconds": 1.0}
    with serving(bare.root, **options) as (process, client), ThreadPoolExecutor() as threads:
        born = children(process.pid)
        slow = threads.submit(client.get, "/sparql", params={"query": RUNAWAY})
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=SECONDS) == 0
        assert not any(Path(f"/proc/{child}").exists() for child in born)
        assert slow.exception(timeout=SECONDS) or slow.result().status_code >= 500


LEGAL = {
    "base": "https://data.exemple.fr",
    "publisher": "Association d’Exemple",
    "host": "Hébergeur d’Exemple",
    "contact": "contact@exemple.fr",
}


@pytest.mark.parametrize("missing", LEGAL)
def test_the_public_is_not_served_without_its_notices(bare: Repository, missing: str) -> None:
    given = {name: value for name, value in LEGAL.items() if name != missing}
    write_settings(replace(Settings(bare.root), **given))
    argv = command(bare.root, "--public", "--port", "0")
    done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert missing in done.stderr
