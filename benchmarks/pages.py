"""Pages beside the peers: what one entity costs, as HTML and as Turtle, read first and again.

    python benchmarks/pages.py --store DIR --trifid DIR [--rounds N]

All run at once on 127.0.0.1 and are asked in turn. Peers hold one région only, which makes
their start shorter and their answers the same; ours serves its whole store.
benchmarks/README.md says how to read the ratios.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import rivals
from exports import Export, export, part
from servers import Server, Taken, in_turn, ours

HTML: Final = "text/html"
TURTLE: Final = "text/turtle"
Ask = Callable[[Server, int], bytes]


def main() -> None:
    arguments = _arguments()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pages-")))
        held = part(export(arguments.store, folder / "all.nt"), arguments.region, folder / "p.nt")
        us = stack.enter_context(ours(arguments.store, rivals.rows))
        oxigraph = stack.enter_context(rivals.oxigraph(held, folder / "oxigraph"))
        trifid = stack.enter_context(rivals.trifid(arguments.trifid, oxigraph, held, folder))
        virtuoso = stack.enter_context(rivals.virtuoso(held, folder / "virtuoso"))
        rdflib = stack.enter_context(rivals.rdflib(held, folder, arguments.region))
        print(f"{held.triples} triples, of {len(held.codes)} communes.\n", flush=True)
        print("| Entity | Rounds | Ours | Peer | Ratio | Aim | Processor |\n|---|" + "---:|" * 6)
        for title, peer, media_type, kept, aim in (
            ("HTML, first view", trifid, HTML, False, 10),
            ("HTML, ours kept", virtuoso, HTML, True, 1),
            ("Turtle, first view", rdflib, TURTLE, False, 5),
            ("Turtle, ours kept", rdflib, TURTLE, True, 20),
        ):
            ask = _asking(us, trifid, held, media_type, kept=kept)
            taken = in_turn((us, peer), ask, arguments.rounds, arguments.seconds)
            sizes = [len(ask(server, 0)) for server in (us, peer)]
            print(_row(title, peer.name, taken, sizes, aim), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Pages of entities beside the peers.")
    parser.add_argument("--store", type=Path, required=True, help="made by init; only read")
    parser.add_argument("--trifid", type=Path, required=True, help="where npm installed trifid")
    parser.add_argument("--region", default="94", help="the région that peers hold")
    parser.add_argument("--rounds", type=int, default=100, help="requests of a kind to each")
    parser.add_argument("--seconds", type=float, default=60, help="at most, for one kind")
    return parser.parse_args()


def _asking(us: Server, trifid: Server, held: Export, media_type: str, *, kept: bool) -> Ask:
    """Give what asks for a commune: always the same one, or one that nobody asked for yet."""

    def ask(server: Server, turn: int) -> bytes:
        code = held.codes[0 if kept else (turn + 1) % len(held.codes)]
        if server is us:
            return server.get(f"/doc/commune/{code}", media_type)
        if server is trifid:
            return server.get(f"/id/commune/{code}", media_type)
        return server.query(f"DESCRIBE <{held.base}/id/commune/{code}>", media_type)

    return ask


def _row(title: str, peer: str, taken: Sequence[Taken], sizes: Sequence[int], aim: float) -> str:
    ours, theirs = (1000 * statistics.median(each.seconds) for each in taken)
    work = taken[1].processor / taken[0].processor if taken[0].processor else float("nan")
    missed = "" if theirs / ours >= aim else " ✗"
    return (
        f"| {title} | {len(taken[0].seconds)} | {ours:.1f} ms, {sizes[0]} B"
        f" | {peer}: {theirs:.1f} ms, {sizes[1]} B"
        f" | ×{theirs / ours:.1f}{missed} | ×{aim:g} | ×{work:.1f} |"
    )


if __name__ == "__main__":
    main()
