"""Many clients at once, each from an address of its own, over one server: what they saw.

    python benchmarks/crowd.py --store DIR [--clients 100] [--seconds 60] [--republish]

Clients come from 127.0.0.2 upwards, so that each has quotas of its own, and ask pages
and queries at random, with a pause between two. `--republish` publishes every second, in
a copy of the store: each answer must then come from one publication, whole. Linux only.
benchmarks/README.md says how to read the table.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.cli.app import repository
from thc_graph.instance.settings import read_settings
from thc_graph.rdf.changes import ChangeSet
from thc_graph.schema.validation import accept_unchecked

PROGRAM = "from thc_graph.cli import main; main()"
START_SECONDS, REQUEST_SECONDS = 120.0, 30.0
REST = 5.0  # after the last client, for former publications to be let go
CORES = 2
FACTS = 50  # of one publication, all with its stamp
STAMP = "https://example.org/stamp"
BUSY = (429, 503)
JSON, TURTLE = "application/sparql-results+json", "text/turtle"
PREFIXES = """PREFIX thc: <https://w3id.org/thc/ns#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
"""
COMMUNES = PREFIXES + "SELECT ?c WHERE { ?c a thc:Commune } LIMIT 500"
SOME = PREFIXES + (
    "SELECT ?c ?l WHERE {{ ?c a thc:Commune ; rdfs:label ?l }} OFFSET {number} LIMIT 20"
)
COUNTED = PREFIXES + (
    "SELECT ?r (COUNT(?c) AS ?n) WHERE { ?c a thc:Commune ; thc:region ?r } GROUP BY ?r"
)
STAMPS = f"""SELECT (COUNT(?x) AS ?n) (COUNT(DISTINCT ?v) AS ?stamps) (COUNT(?g) AS ?named)
WHERE {{ ?x <{STAMP}> ?v OPTIONAL {{ GRAPH ?g {{ ?x <{STAMP}> ?v }} }} }}"""


@dataclass
class Seen:
    """What clients saw: seconds by kind of request, statuses, faults in words."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    bodies: dict[tuple[str, str], str] = field(default_factory=dict)  # what each ETag names
    commits: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Asked:
    """One kind of request."""

    kind: str
    path: str
    accept: str = "*/*"
    query: str = ""


@dataclass(frozen=True)
class Sample:
    """The server and its children at one moment; `memory` is without what its cache holds."""

    memory: int
    handles: int
    processes: int


def main() -> None:
    arguments = _arguments()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    with ExitStack() as stack:
        address, pid = arguments.address, 0
        if not address:
            address, pid = stack.enter_context(_served(arguments))
        seen, samples = asyncio.run(_visited(pid, address, arguments))
    found = _found(seen, samples, arguments)
    print(json.dumps(found)) if arguments.json else _print(found)
    sys.exit(1 if seen.faults else 0)


@contextmanager
def _served(arguments: argparse.Namespace) -> Iterator[tuple[str, int]]:
    with ExitStack() as stack:
        store = arguments.store
        if arguments.republish:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crowd-")))
            store = folder / "store"
            shutil.copytree(arguments.store, store)
        process, address = stack.enter_context(_serving(store))
        if arguments.republish:
            stack.enter_context(_publishing(store))
        yield address, process.pid


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Many clients at once over one server.")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--store", type=Path, help="a store with territories; it is only read")
    place.add_argument("--address", default="", help="of a server that runs already")
    parser.add_argument("--first", type=int, default=2, help="the first client is 127.0.0.FIRST")
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--pause", type=float, default=0.5, help="between requests, on average")
    parser.add_argument("--republish", action="store_true", help="publish every second")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    parser.add_argument("--publish", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.publish:
        _publish(arguments.store)
    return arguments


@contextmanager
def _serving(store: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-c", PROGRAM, "--store", str(store), "serve", "--port", str(port)]
    with _running(command) as process:
        address, end = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
        while process.poll() is None:
            try:
                httpx.get(f"{address}/readyz").raise_for_status()
                break
            except httpx.HTTPError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        yield process, address


@contextmanager
def _publishing(store: Path) -> Iterator[None]:
    command = [sys.executable, __file__, "--store", str(store), "--publish"]
    with _running(command) as process:
        yield
        if process.poll() is not None:
            sys.exit("Publications ended before the clients did.")


@contextmanager
def _running(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _publish(store: Path) -> None:
    """Publish as many facts every second, all with one stamp, in place of the former ones."""
    settings = read_settings(store)
    own = repository(settings)
    number, before = 0, frozenset[Quad]()
    while True:
        began, number = time.monotonic(), number + 1
        after = frozenset(_facts(settings.base, number))
        change = ChangeSet(removed=before, added=after)
        with own.writing() as writer, own.draft(change) as draft:
            writer.publish(draft, accept_unchecked(change), "Foule", f"Numéro {number}")
        before = after
        time.sleep(max(0.0, 1 - (time.monotonic() - began)))


def _facts(base: str, number: int) -> Iterator[Quad]:
    for each in range(FACTS):
        subject = NamedNode(f"{base}/id/foule/{each}")
        yield Quad(subject, NamedNode(STAMP), Literal(number), NamedNode(f"{base}/graph/foule"))


async def _visited(
    pid: int, address: str, arguments: argparse.Namespace
) -> tuple[Seen, list[Sample]]:
    """Let all clients visit, until the end or Ctrl-C, and look at the server meanwhile."""
    seen, samples, stopping = Seen(), list[Sample](), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stopping.set)
    async with httpx.AsyncClient(base_url=address, timeout=REQUEST_SECONDS) as client:
        rows = (await client.get("/sparql", params={"query": COMMUNES})).json()
        communes = [row["c"]["value"].rpartition("/")[2] for row in rows["results"]["bindings"]]
        clients = [
            asyncio.create_task(_visit(address, number, communes, seen, stopping, arguments.pause))
            for number in range(arguments.first, arguments.first + arguments.clients)
        ]
        watching = asyncio.create_task(_watch(client, pid, samples, seen))
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), arguments.seconds)
        stopping.set()
        await asyncio.gather(*clients)
        await asyncio.sleep(REST if pid else 0)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return seen, samples


async def _visit(
    address: str,
    number: int,
    communes: Sequence[str],
    seen: Seen,
    stopping: asyncio.Event,
    pause: float,
) -> None:
    """Be one client until the end."""
    chance = random.Random(number)
    transport = httpx.AsyncHTTPTransport(local_address=f"127.0.0.{number}")
    async with httpx.AsyncClient(
        base_url=address, transport=transport, timeout=REQUEST_SECONDS
    ) as client:
        await asyncio.sleep(chance.uniform(0, pause))
        while not stopping.is_set():
            await _ask(client, _choice(chance, communes), seen)
            await asyncio.sleep(chance.uniform(0, 2 * pause))


def _choice(chance: random.Random, communes: Sequence[str]) -> Asked:
    commune = f"/doc/commune/{chance.choice(communes)}"
    kinds = [
        Asked("home page", "/"),
        Asked("entity page", commune, "text/html"),
        Asked("entity page", commune, "text/html"),
        Asked("entity as Turtle", f"{commune}.ttl"),
        Asked("list page", f"/commune?page={chance.randrange(1, 20)}", "text/html"),
        Asked("search page", f"/recherche?q=saint+{chance.choice('abcdefgh')}", "text/html"),
        Asked("query of rows", "/sparql", JSON, SOME.format(number=chance.randrange(300))),
        Asked("query that counts", "/sparql", JSON, COUNTED),
        Asked("query of stamps", "/sparql", JSON, STAMPS),
        Asked("query never kept", "/sparql", JSON, f"{STAMPS} #{chance.random()}\nLIMIT 1"),
    ]
    return chance.choice(kinds)


async def _ask(client: httpx.AsyncClient, asked: Asked, seen: Seen) -> None:
    parameters = {"query": asked.query} if asked.query else None
    began = time.perf_counter()
    try:
        answer = await client.get(asked.path, params=parameters, headers={"Accept": asked.accept})
    except httpx.HTTPError as fault:
        seen.faults[f"{asked.kind}: {type(fault).__name__}"] += 1
        return
    seen.seconds[asked.kind].append(time.perf_counter() - began)
    seen.statuses[str(answer.status_code)] += 1
    if fault := _fault(answer, asked, seen):
        seen.faults[f"{asked.kind}: {fault}"] += 1


def _fault(answer: httpx.Response, asked: Asked, seen: Seen) -> str:
    """Return what is wrong with an answer in words, "" where nothing is."""
    if answer.status_code in BUSY and "retry-after" in answer.headers:
        return ""
    if answer.status_code >= httpx.codes.BAD_REQUEST:
        return f"status {answer.status_code}"
    if tag := answer.headers.get("etag"):
        body = hashlib.sha256(answer.content).hexdigest()
        if seen.bodies.setdefault((str(answer.url), tag), body) != body:
            return "one ETag for two contents"
    return _torn(answer.json()) if STAMP in asked.query else ""


def _torn(rows: Any) -> str:
    (row,) = rows["results"]["bindings"]
    facts, stamps, named = (int(row[name]["value"]) for name in ("n", "stamps", "named"))
    whole = (facts, stamps, named) in ((0, 0, 0), (FACTS, 1, FACTS))
    return "" if whole else f"{facts} facts of {stamps} publications"


async def _watch(client: httpx.AsyncClient, pid: int, samples: list[Sample], seen: Seen) -> None:
    while True:
        await asyncio.sleep(1)
        measures = (await client.get("/metrics")).text
        told = dict(line.rsplit(" ", 1) for line in measures.splitlines() if line[:1] != "#")
        seen.commits.add(told["thc_snapshot_commit"])
        samples.append(_sample(pid, int(float(told["thc_cache_bytes"]))))


def _sample(pid: int, cache: int) -> Sample:
    """Return what a process and its children hold; what is shared is shared out."""
    pids = _tree(pid)
    return Sample(sum(map(_memory, pids)) - cache, sum(map(_handles, pids)), len(pids))


def _tree(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    parents = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.read_text().rpartition(")")[2].split()[1])].append(
                int(stat.parent.name)
            )
        except OSError:
            continue
    found, further = list[int](), [pid]
    while further:
        found.append(further.pop())
        further += parents[found[-1]]
    return found


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it ended meanwhile
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))


def _handles(pid: int) -> int:
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0


def _found(seen: Seen, samples: list[Sample], arguments: argparse.Namespace) -> dict[str, Any]:
    third = max(1, len(samples) // 3)
    parts = samples[third : 2 * third] or samples, samples[-third:], samples[-3:]
    return {
        "clients": arguments.clients,
        "seconds": arguments.seconds,
        "median": statistics.median(each for times in seen.seconds.values() for each in times),
        "publications": len(seen.commits),
        "requests": sum(seen.statuses.values()),
        "statuses": dict(seen.statuses),
        "faults": dict(seen.faults),
        "kinds": {kind: _spread(times) for kind, times in sorted(seen.seconds.items())},
        "growth": {
            name: [min((getattr(each, name) for each in part), default=0) for part in parts]
            for name in ("memory", "handles", "processes")
        },
    }


def _spread(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "requests": len(ordered),
        "median": statistics.median(ordered),
        "95 %": ordered[int(0.95 * (len(ordered) - 1))],
        "longest": ordered[-1],
    }


def _print(found: Mapping[str, Any]) -> None:
    print("| | Requests | Median | 95 % | Longest |\n|---|---:|---:|---:|---:|")
    for kind, each in found["kinds"].items():
        times = (f"{each[name] * 1000:.0f} ms" for name in ("median", "95 %", "longest"))
        print("|", " | ".join([kind, str(each["requests"]), *times]), "|")
    rate = found["requests"] / found["seconds"]
    print(f"\n{found['clients']} clients, {found['seconds']:g} s, {rate:.0f} requests a second,")
    print(f"{found['publications']} publications seen; statuses: {found['statuses']}.")
    print(f"Faults: {found['faults'] or 'none'}.")
    print("\n| Server and children | After a third | At the end | At rest |\n|---|---:|---:|---:|")
    for name, parts in found["growth"].items():
        unit, size = (" MiB", 1 << 20) if name == "memory" else ("", 1)
        print("|", " | ".join([name, *(f"{each // size}{unit}" for each in parts)]), "|")


if __name__ == "__main__":
    main()
