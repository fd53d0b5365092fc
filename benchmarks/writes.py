"""Writes through the editors' door under two readers: what readers feel, what history holds.

    python benchmarks/writes.py --store DIR [--writes 60] [--json]

Two readers ask pages, first alone and then while an editor publishes one write after the
other; a third client asks `/healthz` all the time. In a copy of the store. Linux only.
Compare the two columns of one run: the machine is in both.
"""

import argparse
import http.client
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from thc_graph.instance.settings import read_settings
from thc_graph.people import tokens
from thc_graph.store.history.commits import History

PATHS = (
    "/",
    "/doc/commune/68224",
    "/commune?page=2",
    "/recherche?q=mulhouse",
    "/engagement",
    "/doc/commune/26281.ttl",
)
HEALTH = "/healthz"
READERS = 2
QUIET_SECONDS = 6.0
START_SECONDS, REQUEST_SECONDS = 120.0, 60.0
SLOW = 0.25  # seconds of a page that somebody notices
PREFIXES = """PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX thc: <https://w3id.org/thc/ns#>
"""


@dataclass
class Seen:
    """What clients of one phase saw, in seconds; `faults` are answers that are not 200."""

    pages: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes at the editors' door under two readers.")
    parser.add_argument("--store", type=Path, required=True, help="it is copied")
    parser.add_argument("--writes", type=int, default=60)
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="writes-")))
        store = folder / "store"
        shutil.copytree(arguments.store, store)
        found = _measured(store, arguments.writes)
    print(json.dumps(found) if arguments.json else "\n".join(f"{k}: {v}" for k, v in found.items()))


def _measured(store: Path, writes: int) -> dict[str, Any]:
    secret = tokens.create(store, "writes", "write")
    base = read_settings(store).base
    with _serving(store) as (pid, port, door):
        with _reading(port):  # all is asked once before
            time.sleep(1)
        with _reading(port) as quiet:
            time.sleep(QUIET_SECONDS)
        taken = list[float]()
        with _reading(port) as busy:
            commits = [_write(door, secret, base, number, taken) for number in range(writes)]
        engines = _engines(pid)
    held = set(History(store / "history").ids())
    return {
        "writes": writes,
        "in_history": sum(commit in held for commit in commits),
        "write_median": statistics.median(taken),
        "write_most": max(taken),
        **_figures("quiet", quiet),
        **_figures("busy", busy),
        "p95_ratio": _percentile(busy.pages, 95) / _percentile(quiet.pages, 95),
        "engines_that_may_write": engines,
        "faults": (quiet.faults + busy.faults)[:10],
    }


def _figures(name: str, seen: Seen) -> dict[str, Any]:
    return {
        f"{name}_pages": len(seen.pages),
        **{f"{name}_p{rank}": _percentile(seen.pages, rank) for rank in (50, 95, 99)},
        f"{name}_most": max(seen.pages),
        f"{name}_slow": dict(Counter(seen.slow)),
        f"{name}_health": len(seen.health),
        f"{name}_health_most": max(seen.health),
    }


def _percentile(seconds: list[float], rank: int) -> float:
    return statistics.quantiles(seconds, n=100)[rank - 1]


@contextmanager
def _serving(store: Path) -> Iterator[tuple[int, int, int]]:
    port, door = _free(), _free()
    program = Path(sys.executable).with_name("thc-graph")
    command = [str(program), "--store", str(store), "serve", "--port", str(port)]
    with subprocess.Popen([*command, "--editors", str(door)], stderr=subprocess.DEVNULL) as server:
        try:
            _wait(port)
            yield server.pid, port, door
        finally:
            server.kill()


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait(port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            if _get(http.client.HTTPConnection("127.0.0.1", port), "/readyz") == http.HTTPStatus.OK:
                return
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.1)


def _get(client: http.client.HTTPConnection, path: str) -> int:
    client.request("GET", path, headers={"Connection": "keep-alive"})
    answer = client.getresponse()
    answer.read()
    return answer.status


@contextmanager
def _reading(port: int) -> Iterator[Seen]:
    """Have two readers ask pages, and one how the server does, as long as the context lasts."""
    seen, over = Seen(), threading.Event()
    tours = [(PATHS[n:] + PATHS[:n], seen.pages, 0.0) for n in range(READERS)]
    threads = [
        threading.Thread(target=_read, args=(port, seen, over, *tour))
        for tour in (*tours, ((HEALTH,), seen.health, 0.1))
    ]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _read(
    port: int,
    seen: Seen,
    over: threading.Event,
    paths: tuple[str, ...],
    seconds: list[float],
    pause: float,
) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_SECONDS)
    for path in cycle(paths):
        if over.is_set():
            return
        start = time.perf_counter()
        status = _get(client, path)
        seconds.append(time.perf_counter() - start)
        if seconds[-1] > SLOW:
            seen.slow.append(path)
        if status != http.HTTPStatus.OK:
            seen.faults.append(f"{path}: {status}")
        time.sleep(pause or 0.005)


def _write(door: int, secret: str, base: str, number: int, taken: list[float]) -> str | None:
    """Publish one write, and return its commit."""
    actor = f"<{base}/id/organisation/essai-{number}>"
    said = f'{actor} a thc:Organisation ; rdfs:label "Essai {number}"@fr'
    text = f"{PREFIXES} INSERT DATA {{ GRAPH <{base}/graph/essai/acteurs> {{ {said} }} }}"
    client = http.client.HTTPConnection("127.0.0.1", door, timeout=REQUEST_SECONDS)
    headers = {
        "Authorization": f"Bearer {secret}",
        "Content-Type": "application/sparql-update",
    }
    start = time.perf_counter()
    client.request("POST", "/update", text.encode(), headers)
    answer = client.getresponse()
    answer.read()
    taken.append(time.perf_counter() - start)
    client.close()
    return answer.headers["Thc-Commit"]


def _engines(pid: int) -> int:
    """Return how many engines that may write are open in a process: each holds a LOCK."""
    handles = Path(f"/proc/{pid}/fd").iterdir()
    return sum(str(each.readlink()).endswith("/quads/LOCK") for each in handles)


if __name__ == "__main__":
    main()
