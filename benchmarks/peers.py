"""Three servers over the same triples, asked in turn, and one table of what each took.

    python benchmarks/peers.py --store DIR [--load | --load-seconds S] [--rounds N]

Ours, `oxigraph serve-read-only` and `rdflib-endpoint serve` run at once on 127.0.0.1
and answer the same request one after the other, over one kept-alive connection each.
Only the ratios of one run mean anything; benchmarks/README.md says how to read them.
"""

import argparse
import json
import platform
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from pyoxigraph import DefaultGraph, RdfFormat, Store
from wire import Wire

from thc_graph.store import snapshots

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
HOST = "127.0.0.1"
LOAD_SECONDS = 900.0
START_SECONDS = 120.0
REQUEST_SECONDS = 60.0
STOP_SECONDS = 10.0
WARMING = 3  # requests of each kind, before any is timed
ROWS = 20

TURTLE = "text/turtle"
JSON = "application/sparql-results+json"
CODE = re.compile(r"<([^>]*)/id/commune/(\w+)> <http://www\.w3\.org/1999/02/22-rdf-syntax-ns#type>")

SELECT = f"""PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX thc: <https://w3id.org/thc/ns#>
SELECT ?commune ?label ?population
WHERE {{ ?commune a thc:Commune ; rdfs:label ?label ; thc:population ?population }}
LIMIT {ROWS}"""
AGGREGATE = """PREFIX thc: <https://w3id.org/thc/ns#>
SELECT ?region (COUNT(?commune) AS ?communes)
WHERE { ?commune a thc:Commune ; thc:region ?region }
GROUP BY ?region"""


@dataclass
class Server:
    """One server that runs; `seconds` is from its start to its first answer."""

    name: str
    process: subprocess.Popen[bytes]
    client: Wire
    sparql: str
    seconds: float
    loading: float | None = None
    part: str = ""  # what it holds, where it is not everything

    def query(self, text: str, media_type: str) -> bytes:
        return self.get(self.sparql, media_type, query=text)

    def get(self, path: str, media_type: str, **parameters: str) -> bytes:
        return self.client.get(path, media_type, parameters)


@dataclass(frozen=True)
class Export:
    """The default graph of a snapshot as N-Triples, and the communes it speaks of."""

    path: Path
    triples: int
    base: str
    codes: tuple[str, ...]


@dataclass
class Measure:
    """A row of the table: one number a server, in `unit`; None where there is none."""

    title: str
    unit: str
    values: list[float | None]
    rounds: str = "1"


@dataclass
class Report:
    """What is printed at the end."""

    measures: list[Measure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def main() -> None:
    arguments = _arguments()
    report = Report()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="peers-")))
        export = _export(arguments.store, folder / "all.nt")
        loading: float | None = arguments.load_seconds
        if arguments.load:
            loading = _load_ours(folder / "ours", report)
        servers = [
            stack.enter_context(_ours(arguments.store, loading)),
            stack.enter_context(_oxigraph(export, folder / "oxigraph")),
            stack.enter_context(_rdflib(export, folder, arguments.region)),
        ]
        _compare(servers, report)
        report.measures += _requests(servers, export, arguments.rounds, arguments.seconds)
        report.measures += _once(servers)
        _print(servers, export, report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Ours beside two SPARQL servers, in one table.")
    parser.add_argument(
        "--store", type=Path, required=True, help="a store made by `thc-graph init`"
    )
    parser.add_argument("--rounds", type=int, default=200, help="requests of a kind to each")
    parser.add_argument("--seconds", type=float, default=60, help="at most, for one kind")
    parser.add_argument(
        "--region", default="44", help="the only one rdflib gets, if all is too long"
    )
    loading = parser.add_mutually_exclusive_group()
    loading.add_argument("--load", action="store_true", help="time a fresh init and import too")
    loading.add_argument("--load-seconds", type=float, help="what `init` took, if it was timed")
    return parser.parse_args()


def _export(root: Path, path: Path) -> Export:
    snapshot = snapshots.current(root)
    Store.read_only(str(snapshot.quads)).dump(
        str(path), RdfFormat.N_TRIPLES, from_graph=DefaultGraph()
    )
    codes, base, triples = set(), "", 0
    for line in _lines(path):
        triples += 1
        if found := CODE.match(line):
            base = found[1]
            codes.add(found[2])
    if not codes:
        sys.exit(f"{root} holds no commune: make it with `thc-graph init`.")
    return Export(path, triples, base, tuple(sorted(codes)))


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from file


def _load_ours(root: Path, report: Report) -> float:
    """Return the seconds of a fresh store that receives the territories."""
    command: list[str | Path] = [BIN / "thc-graph", "--store", root]
    began = time.perf_counter()
    _run([*command, "init", "--bare"])
    _run([*command, "import", "--apply", ROOT / "data" / "territories"])
    seconds = time.perf_counter() - began
    store = Store.read_only(str(snapshots.current(root).quads))
    triples = sum(1 for _ in store.quads_for_pattern(None, None, None, DefaultGraph()))
    report.notes.append(
        f"Ours loaded {triples} triples: it read them from CSV, checked every row against the"
        " shapes, derived links and recorded a change set. Peers loaded N-Triples, unchecked."
    )
    return seconds


def _run(command: Sequence[str | Path]) -> None:
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=LOAD_SECONDS
    )


@contextmanager
def _ours(root: Path, loading: float | None) -> Iterator[Server]:
    command: list[str | Path] = [
        BIN / "thc-graph",
        "--store",
        root,
        "serve",
        "--host",
        HOST,
        "--port",
    ]
    name = f"thc-graph {version('thc-graph')}"
    with _running(name, lambda port: [*command, str(port)], "/sparql") as server:
        server.loading = loading
        yield server


@contextmanager
def _oxigraph(export: Export, folder: Path) -> Iterator[Server]:
    began = time.perf_counter()
    _run([BIN / "oxigraph", "load", "--location", folder, "--file", export.path])
    loading = time.perf_counter() - began
    command: list[str | Path] = [
        BIN / "oxigraph",
        "serve-read-only",
        "--location",
        folder,
        "--bind",
    ]
    name = f"oxigraph {version('oxigraph')}"
    with _running(name, lambda port: [*command, f"{HOST}:{port}"], "/query") as server:
        server.loading = loading
        yield server


@contextmanager
def _rdflib(export: Export, folder: Path, region: str) -> Iterator[Server]:
    """Serve everything, or one région if everything is not up within `START_SECONDS`."""
    name = f"rdflib-endpoint {version('rdflib-endpoint')}"
    with ExitStack() as stack:
        try:
            server = stack.enter_context(_running(name, _rdflib_command(export.path), "/"))
        except TimeoutError:
            part = _only(export, region, folder / "part.nt")
            server = stack.enter_context(_running(name, _rdflib_command(part), "/"))
            server.part = f"communes of région {region} only"
        yield server


def _rdflib_command(path: Path) -> Callable[[int], list[str | Path]]:
    command: list[str | Path] = [BIN / "rdflib-endpoint", "serve", "--host", HOST, "--port"]
    return lambda port: [*command, str(port), path]


def _only(export: Export, region: str, path: Path) -> Path:
    """Write the export without the communes of other régions and what speaks of them."""
    commune = re.compile(rf"<{re.escape(export.base)}/id/commune/\w+>")
    inside = f" <https://w3id.org/thc/ns#region> <{export.base}/id/region/{region}> "
    kept = {line.split(" ", 1)[0] for line in _lines(export.path) if inside in line}
    left = {
        line.split(" ", 1)[0]
        for line in _lines(export.path)
        if not kept.issuperset(commune.findall(line))
    } - kept
    with path.open("w", encoding="utf-8") as file:
        file.writelines(line for line in _lines(export.path) if line.split(" ", 1)[0] not in left)
    return path


@contextmanager
def _running(
    name: str, command: Callable[[int], Sequence[str | Path]], sparql: str
) -> Iterator[Server]:
    """Start a server on a free port, wait for its first rows, end it by its pid.

    Raises:
        TimeoutError: It gave no rows within `START_SECONDS`.
    """
    port = _free_port()
    began = time.perf_counter()
    process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = Wire(HOST, port, REQUEST_SECONDS)
    server = Server(name, process, client, sparql, 0.0)
    try:
        _await(server, began)
        server.seconds = time.perf_counter() - began
        yield server
    finally:
        client.close()
        _end(process)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


def _await(server: Server, began: float) -> None:
    while time.perf_counter() - began < START_SECONDS:
        if server.process.poll() is not None:
            sys.exit(f"{server.name} ended with {server.process.returncode} before it answered.")
        try:
            server.query(SELECT, JSON)
        except OSError:
            server.client.close()
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(server.name)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _compare(servers: Sequence[Server], report: Report) -> None:
    """Stop if two servers that hold the same do not say the same."""
    counts = {}
    for server in servers:
        rows = json.loads(server.query(SELECT, JSON))["results"]["bindings"]
        if len(rows) != ROWS:
            sys.exit(f"{server.name} gave {len(rows)} rows for {ROWS}.")
        if server.part:
            report.notes.append(f"{server.name} holds the {server.part}.")
        else:
            counts[server.name] = _counts(server.query(AGGREGATE, JSON))
    if any(found != next(iter(counts.values())) for found in counts.values()):
        sys.exit(f"The servers count differently: {counts}")


def _counts(text: bytes) -> Mapping[str, int]:
    rows = json.loads(text)["results"]["bindings"]
    return {row["region"]["value"]: int(row["communes"]["value"]) for row in rows}


def _requests(
    servers: Sequence[Server], export: Export, rounds: int, seconds: float
) -> Iterator[Measure]:
    ours = servers[0]
    spread = export.codes[:: max(1, len(export.codes) // (rounds + WARMING))]
    known = "68224" if "68224" in export.codes else export.codes[0]

    def construct(server: Server, code: str) -> bytes:
        return server.query(_description(f"{export.base}/id/commune/{code}"), TURTLE)

    def page(server: Server, code: str) -> bytes:
        if server is ours:
            return server.get(f"/doc/commune/{code}.ttl", TURTLE)
        return construct(server, code)

    kinds: dict[str, Callable[[Server, int], bytes]] = {
        f"Entity as Turtle, the same again ({known})": lambda server, _: page(server, known),
        "Entity as Turtle, another each time": lambda server, turn: page(
            server, spread[turn % len(spread)]
        ),
        "Entity, CONSTRUCT on all three, another each time": lambda server, turn: construct(
            server, spread[turn % len(spread)]
        ),
        "Entity, CONSTRUCT on all three, the same again": lambda server, _: construct(
            server, known
        ),
        f"SELECT of {ROWS} rows, others each time": lambda server, turn: server.query(
            f"{SELECT} OFFSET {turn}", JSON
        ),
        f"SELECT of {ROWS} rows, the same again": lambda server, _: server.query(SELECT, JSON),
        "Aggregate, another each time": lambda server, turn: server.query(
            f"{AGGREGATE} HAVING (COUNT(?commune) > -{turn + 1})", JSON
        ),
        "Aggregate, the same again": lambda server, _: server.query(AGGREGATE, JSON),
    }
    for title, ask in kinds.items():
        times = _in_turn(servers, ask, rounds, seconds)
        medians = [statistics.median(each) * 1000 for each in times]
        yield Measure(title, "ms", [*medians], str(len(times[0])))


def _description(iri: str) -> str:
    """Return the query behind our page of an entity, for that entity."""
    text = (ROOT / "queries" / "entity" / "default.rq").read_text(encoding="utf-8")
    return text.replace("UNDEF", f"<{iri}>")


def _in_turn(
    servers: Sequence[Server],
    ask: Callable[[Server, int], bytes],
    rounds: int,
    seconds: float,
) -> list[list[float]]:
    """Return the seconds of each answer, by server; fewer rounds where time is up."""
    times: list[list[float]] = [[] for _ in servers]
    end = time.perf_counter() + seconds
    for turn in range(rounds + WARMING):
        for server, taken in zip(servers, times, strict=True):
            began = time.perf_counter()
            ask(server, turn)
            if turn >= WARMING:
                taken.append(time.perf_counter() - began)
        if turn >= WARMING and time.perf_counter() > end:
            break
    return times


def _once(servers: Sequence[Server]) -> Iterator[Measure]:
    yield Measure("Start to first answer", "s", [each.seconds for each in servers])
    memory = [float(_resident(each.process.pid)) / (1 << 20) for each in servers]
    yield Measure("Resident memory, after all this", "MiB", [*memory])
    yield Measure("Load of the triples", "s", [each.loading for each in servers])


def _resident(pid: int) -> int:
    """Return the resident bytes of a process and its children; what they share counts twice."""
    process = Path("/proc", str(pid))
    status = (process / "status").read_text(encoding="utf-8")
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    children = [
        int(child)
        for task in (process / "task").iterdir()
        for child in (task / "children").read_text(encoding="utf-8").split()
    ]
    return (int(found[1]) << 10 if found else 0) + sum(_resident(child) for child in children)


def _print(servers: Sequence[Server], export: Export, report: Report) -> None:
    names = [each.name + (" †" if each.part else "") for each in servers]
    print("|", " | ".join(["", "Rounds", *names]), "|")
    print("|---|" + "---:|" * (len(names) + 1))
    for measure in report.measures:
        cells = [_cell(value, measure) for value in measure.values]
        print("|", " | ".join([measure.title, measure.rounds, *cells]), "|")
    print(f"\n{export.triples} triples; Python {platform.python_version()}, {platform.machine()}.")
    print("Medians; × is that server's number over ours, so above 1 it took more than ours.")
    print("rdflib-endpoint keeps nothing on disk: its start is its load.")
    for note in report.notes:
        print(note)


def _cell(value: float | None, measure: Measure) -> str:
    if value is None:
        return "—"
    ours = measure.values[0]
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - digits, not a limit
    if ours is None or value is ours:
        return f"{shown} {measure.unit}"
    return f"{shown} {measure.unit} (×{value / ours:.2f})"


if __name__ == "__main__":
    main()
