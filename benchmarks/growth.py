"""Growth: what a page costs on the demonstration store, and on one with 100 000 entities more.

    python benchmarks/growth.py --store DIR [--large DIR] [--more N] [--rounds N]

Both stores are served at once and asked in turn, one request never asked before, then the
same again. Only the ratios of one run mean anything; benchmarks/README.md says how to read
them.
"""

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import quote

from fiction import grow
from servers import Server, Taken, in_turn, ours

HTML: Final = "text/html"
KEPT: Final = 5  # a kept view costs at most a fifth of a first one
TOWN: Final = "territoire/exemple-villeneuve"
PLAN: Final = "plan/exemple-villeneuve-2024-2027"

ENTITIES: Final = (
    f"/doc/{TOWN}", f"/doc/{PLAN}", "/doc/commune/68224", "/doc/commune/26289",
    "/doc/engagement/exemple-villeneuve-2024-2027-t1", "/doc/commune/35238",
    "/doc/engagement/exemple-villeneuve-2024-2027-c3", "/doc/departement/68",
    "/doc/gap/exemple-jardin-des-tilleuls", "/doc/experience/exemple-budget-des-ecoles",
)  # fmt: skip
LISTS: Final = (
    "/engagement", "/evenement", "/experience", "/organisation", "/suivi", "/methode", "/gap",
    "/engagement?tri=date", "/evenement?tri=date",
)  # fmt: skip
NARROWED: Final = (
    "/engagement?statutCourant=en-cours", f"/engagement?territoire={TOWN}",
    "/engagement?statutCourant=realise&statutCourant=en-cours", f"/engagement?plan={PLAN}",
    "/evenement?type=Visite", "/experience?resultat=reussite", "/suivi?statut=en-cours",
    "/engagement?q=budget", "/experience?q=ecole", "/engagement?q=ville&statutCourant=en-cours",
)  # fmt: skip
SEARCHES: Final = (
    "mulhouse", "budget participatif", "jardin", "transparence", "saint etienne", "mulhose",
    "conseil de quartier", "écoles", "forum", "j’habite 68100", "tilleuls", "visite", "plan",
    "exemple", "ville ouverte", "rennes", "donnees ouvertes", "citoyens", "sous-titres",
)  # fmt: skip
BOARDS: Final = (
    "/tableau-de-bord", f"/tableau-de-bord?plan={PLAN}", f"/tableau-de-bord?territoire={TOWN}",
    "/tableau-de-bord?statutCourant=en-cours", "/tableau-de-bord?echeance=depassee",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """Addresses of one kind; on the large store they may take `bound` times as long."""

    title: str
    paths: Sequence[str]
    bound: float


KINDS: Final = (
    Kind("Entity page", ENTITIES, 1.3),
    Kind("List with facets, whole", LISTS, 2),
    Kind("List with facets, narrowed", NARROWED, 2),
    Kind("List with facets, 35 000 communes in both", ("/commune", "/commune?q=saint"), 2),
    Kind("Search", [f"/recherche?q={quote(each)}" for each in SEARCHES], 2),
    Kind("Dashboard", BOARDS, 3),
)


def main() -> None:
    arguments = _arguments()
    with ExitStack() as stack:
        large: Path = arguments.large or _temporary(stack) / "large"
        if not large.exists():
            print(f"{grow(arguments.store, large, arguments.more)} entities added.\n", flush=True)
        servers = [
            stack.enter_context(ours(root, _answers, name))
            for root, name in ((arguments.store, "small"), (large, "large"))
        ]
        print("| First view, never kept | Rounds | Small | Large | Ratio | Bound |", end="")
        print(" Processor | Kept, large | First ÷ kept |\n|---|" + "---:|" * 8)
        for kind in KINDS:
            first = in_turn(servers, _unseen(kind), arguments.rounds, arguments.seconds)
            again = in_turn(servers, _again(kind), arguments.rounds, arguments.seconds)
            print(_row(kind, first, again), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What a page costs as the store grows.")
    parser.add_argument(
        "--store", type=Path, required=True, help="made by `init --demo`; only read"
    )
    parser.add_argument("--large", type=Path, help="the large store, made there if it is not")
    parser.add_argument("--more", type=int, default=100_000, help="entities the large store adds")
    parser.add_argument("--rounds", type=int, default=100, help="requests of a kind to each")
    parser.add_argument("--seconds", type=float, default=60, help="at most, for one kind")
    return parser.parse_args()


def _temporary(stack: ExitStack) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="growth-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _answers(server: Server) -> None:
    server.get("/readyz")


def _unseen(kind: Kind) -> Callable[[Server, int], object]:
    """Ask for the kind's addresses one after the other, each time as if for the first."""
    turns = {name: count() for name in ("small", "large")}

    def ask(server: Server, turn: int) -> object:
        path = kind.paths[turn % len(kind.paths)]
        # A parameter that nothing reads makes another address, and the same work.
        return server.get(f"{path}{'&' if '?' in path else '?'}n={next(turns[server.name])}", HTML)

    return ask


def _again(kind: Kind) -> Callable[[Server, int], object]:
    return lambda server, _: server.get(kind.paths[0], HTML)


def _row(kind: Kind, first: Sequence[Taken], again: Sequence[Taken]) -> str:
    small, large = (1000 * statistics.median(each.seconds) for each in first)
    kept = 1000 * statistics.median(again[1].seconds)
    work = first[1].processor / first[0].processor if first[0].processor else float("nan")
    verdict = "" if large / small <= kind.bound else " ✗"
    late = "" if large / kept >= KEPT else " ✗"
    return (
        f"| {kind.title} | {len(first[0].seconds)} | {small:.1f} ms | {large:.1f} ms"
        f" | ×{large / small:.2f}{verdict} | ×{kind.bound:g} | ×{work:.2f}"
        f" | {kept:.1f} ms | {large / kept:.1f}{late} |"
    )


if __name__ == "__main__":
    main()
