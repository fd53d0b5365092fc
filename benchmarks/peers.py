"""Three servers over the same triples, asked in turn, and one table of what each took.

    python benchmarks/peers.py --store DIR [--load | --load-seconds S] [--rounds N]

Ours, `oxigraph serve-read-only` and `rdflib-endpoint serve` run at once on 127.0.0.1
and answer the same request one after the other, over one kept-alive connection each.
Only the ratios of one run mean anything; benchmarks/README.md says how to read them.
"""

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from exports import Export, export
from pyoxigraph import DefaultGraph, Store
from rivals import JSON, ROWS, SELECT, oxigraph, rdflib, rows, run
from servers import BIN, WARMING, Server, in_turn, ours, resident

from thc_graph.store.snapshots import snapshot

ROOT = Path(__file__).resolve().parents[1]
TURTLE = "text/turtle"
AGGREGATE = """PREFIX thc: <https://w3id.org/thc/ns#>
SELECT ?region (COUNT(?commune) AS ?communes)
WHERE { ?commune a thc:Commune ; thc:region ?region }
GROUP BY ?region"""


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
        held = export(arguments.store, folder / "all.nt")
        loading: float | None = arguments.load_seconds
        if arguments.load:
            loading = _load_ours(folder / "ours", report)
        servers = [
            stack.enter_context(ours(arguments.store, rows)),
            stack.enter_context(oxigraph(held, folder / "oxigraph")),
            stack.enter_context(rdflib(held, folder, arguments.region)),
        ]
        servers[0].loading = loading
        _compare(servers, report)
        report.measures += _requests(servers, held, arguments.rounds, arguments.seconds)
        report.measures += _once(servers)
        _print(servers, held, report)


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


def _load_ours(root: Path, report: Report) -> float:
    """Return the seconds of a fresh store that receives the territories."""
    command: list[str | Path] = [BIN / "thc-graph", "--store", root]
    began = time.perf_counter()
    run([*command, "init", "--bare"])
    run([*command, "import", "--apply", ROOT / "data" / "territories"])
    seconds = time.perf_counter() - began
    store = Store.read_only(str(snapshot.current(root).quads))
    triples = sum(1 for _ in store.quads_for_pattern(None, None, None, DefaultGraph()))
    report.notes.append(
        f"Ours loaded {triples} triples: it read them from CSV, checked every row against the"
        " shapes, derived links and recorded a change set. Peers loaded N-Triples, unchecked."
    )
    return seconds


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
    first = servers[0]
    spread = export.codes[:: max(1, len(export.codes) // (rounds + WARMING))]
    known = "68224" if "68224" in export.codes else export.codes[0]

    def construct(server: Server, code: str) -> bytes:
        return server.query(_description(f"{export.base}/id/commune/{code}"), TURTLE)

    def page(server: Server, code: str) -> bytes:
        if server is first:
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
        times = in_turn(servers, ask, rounds, seconds)
        medians = [statistics.median(each.seconds) * 1000 for each in times]
        yield Measure(title, "ms", [*medians], str(len(times[0].seconds)))


def _description(iri: str) -> str:
    """Return the query behind our page of an entity, for that entity."""
    text = (ROOT / "queries" / "entity" / "default.rq").read_text(encoding="utf-8")
    return text.replace("UNDEF", f"<{iri}>")


def _once(servers: Sequence[Server]) -> Iterator[Measure]:
    yield Measure("Start to first answer", "s", [each.seconds for each in servers])
    memory = [float(resident(each.process.pid)) / (1 << 20) for each in servers]
    yield Measure("Resident memory, after all this", "MiB", [*memory])
    yield Measure("Load of the triples", "s", [each.loading for each in servers])


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
