"""`thc-graph serve` as a service manager runs it: a real process, real signals."""

import json
import os
import shutil
import signal
import socket
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

from serving import children
from thc_graph.instance.settings import Settings, write_settings
from thc_graph.store.writes.repository import Repository

PROGRAM = "from thc_graph.cli import main; main()"
RUNAWAY = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
SECONDS = 30
PATIENCE = 10.0  # a second where the machine is calm
RESTARTS = "thc_restarts_total"
OCCUPIED = "un autre programme l'occupe"


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


def web(process: subprocess.Popen[str]) -> int:
    """Return the id of the process that serves, which the one started here looks after."""
    (found,) = children(process.pid)
    return found


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        told = json.loads(line)
        if told["message"] == "listening":
            return "{}:{}".format(*told["address"])
    raise AssertionError("The server did not start.")


@pytest.mark.skipif(sys.platform != "linux", reason="children are counted in /proc")
def test_a_stop_lets_answers_in_flight_end(bare: Repository) -> None:
    options = {"seconds": 3.0, "drain_seconds": 1.0}
    with serving(bare.root, **options) as (process, client), ThreadPoolExecutor() as threads:
        born = children(web(process))
        assert len(born) == 3
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
        born = children(web(process))
        slow = threads.submit(client.get, "/sparql", params={"query": RUNAWAY})
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=SECONDS) == 0
        assert not any(Path(f"/proc/{child}").exists() for child in born)
        assert slow.exception(timeout=SECONDS) or slow.result().status_code >= 500


@pytest.mark.skipif(sys.platform != "linux", reason="children are counted in /proc")
def test_a_process_that_dies_is_started_again(bare: Repository) -> None:
    with serving(bare.root) as (process, client):
        assert restarts(client) == 0
        for times in (1, 2):
            former, began = web(process), time.monotonic()
            os.kill(former, signal.SIGKILL)
            # Who asks meanwhile waits; a connection at rest is gone.
            assert httpx.get(client.base_url.join("/healthz"), timeout=SECONDS).status_code == 200
            assert time.monotonic() - began < PATIENCE
            assert web(process) != former
            assert restarts(client) == times
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=SECONDS) == 0
        log = [json.loads(line) for line in process.stderr or ()]
    died = [line for line in log if line["message"] == "the process that serves died"]
    assert [(line["ending"], line["restarts"]) for line in died] == [(-signal.SIGKILL, 1), (-9, 2)]


def restarts(client: httpx.Client) -> float:
    text = httpx.get(client.base_url.join("/metrics")).text
    (line,) = (x for x in text.split("\n") if x.startswith(f"{RESTARTS} "))
    return float(line.split()[1])


@pytest.mark.skipif(sys.platform != "linux", reason="only there does a child die with its parent")
def test_nothing_outlives_the_process_that_was_started(bare: Repository) -> None:
    with serving(bare.root) as (process, _):
        family = [web(process), *children(web(process))]
        process.kill()
        process.wait()
        end = time.monotonic() + SECONDS
        while any(is_running(each) for each in family):
            assert time.monotonic() < end
            time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="children are counted in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_a_stop_is_no_death(bare: Repository, number: signal.Signals) -> None:
    """Of systemd both processes hear of it, by itself and by each other: it is one stop."""
    with serving(bare.root, drain_seconds=4.0) as (process, client):
        child = web(process)
        if number == signal.SIGTERM:
            os.kill(child, number)
            time.sleep(0.7)  # as a machine that is busy may take between the two
        process.send_signal(number)
        if number == signal.SIGTERM:
            time.sleep(0.2)
            assert client.get("/readyz").status_code == 503  # the first step is not skipped
        assert process.wait(timeout=SECONDS) == (0 if number == signal.SIGTERM else 130)
        assert not is_running(child)
        assert "died" not in (process.stderr.read() if process.stderr else "")


@pytest.mark.skipif(sys.platform != "linux", reason="children are counted in /proc")
def test_two_stops_skip_the_first_step(bare: Repository) -> None:
    with serving(bare.root, drain_seconds=600.0) as (process, _):
        process.send_signal(signal.SIGTERM)
        time.sleep(1.0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=SECONDS) == 0


@pytest.mark.parametrize("option", ["--port", "--editors"])
def test_a_port_in_use_is_named(bare: Repository, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        ports = {"--port": "0", option: port}
        argv = command(bare.root, *(word for pair in ports.items() for word in pair))
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert done.stderr == f"Le port {port} de 127.0.0.1 ne s'ouvre pas : {OCCUPIED}.\n"


def test_what_never_served_is_not_started_again(bare: Repository) -> None:
    shutil.rmtree(bare.root / "snapshots")
    (bare.root / "CURRENT").unlink()
    shutil.rmtree(bare.root / "history")
    argv = command(bare.root, "--port", "0")
    done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


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
