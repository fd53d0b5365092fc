"""How long an import takes, stage by stage, and how much memory it needs.

Two imports, each in a process of its own: a thousand records into a store that holds
all territories, and all territories (35 000 communes and the rest) into an empty one.
"""

import argparse
import csv
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from thc_graph.cli.app import repository
from thc_graph.cli.init import publish_vocabulary
from thc_graph.settings import Settings, read_settings, resources, write_settings
from thc_graph.sheets.datasets import inputs
from thc_graph.sheets.lexicon import of_snapshot
from thc_graph.sheets.loading import Options, load

ROWS = 1_000
COMMUNES = "communes.csv"


@dataclass
class Stages:
    """Times each stage from the moment it is told to the next one: wall clock, then process."""

    spent: dict[str, list[float]] = field(default_factory=dict)
    since: tuple[str, float, float] | None = None

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        del done, total
        wall, cpu = time.perf_counter(), _seconds()
        if self.since:
            name, began, used = self.since
            spent = self.spent.setdefault(name, [0.0, 0.0])
            spent[0] += wall - began
            spent[1] += cpu - used
        self.since = stage, wall, cpu


def main() -> None:
    arguments = _arguments()
    if arguments.measure:
        _measure(*arguments.measure)
        return
    with tempfile.TemporaryDirectory(prefix="imports-") as name:
        for title, store, sheets in _cases(Path(name), arguments.store, arguments.only):
            print(f"\n{title}\n", flush=True)
            subprocess.run([sys.executable, __file__, "--measure", store, sheets], check=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Imports, timed stage by stage.")
    parser.add_argument("--store", type=Path, help="one with all territories, for the small import")
    parser.add_argument("--only", choices=("rows", "territories"))
    parser.add_argument("--measure", type=Path, nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def _cases(folder: Path, full: Path | None, only: str | None) -> Iterator[tuple[str, Path, Path]]:
    """Yield a title, a store and the sheets to import into it."""
    territories = resources().data_folder / "territories"
    if full and only in (None, "rows"):
        shutil.copytree(full, folder / "full")
        found = repository(read_settings(folder / "full"))
        of_snapshot(found.current(), found.derivation.library)  # an older store has no names
        _write_actors(territories, folder / "acteurs.csv")
        yield f"{ROWS} records, all territories published", folder / "full", folder / "acteurs.csv"
    if only in (None, "territories"):
        yield "All territories, in an empty store", _bare(folder / "empty"), territories


def _write_actors(territories: Path, path: Path) -> None:
    with (territories / COMMUNES).open(encoding="utf-8") as file:
        communes = list(csv.DictReader(file))[:: 34_000 // ROWS][:ROWS]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            ("Nature", "Nom", "Type d'acteur", "Territoires d'action", "Site web", "Description")
        )
        for number, each in enumerate(communes):
            table.writerow((
                "organisation", f"Association n° {number}", "association",
                f"{each['Nom']} ({each['Code INSEE']})", f"https://example.org/{number}",
                f"Réunit les habitants de {each['Nom']}.",
            ))  # fmt: skip


def _bare(root: Path) -> Path:
    settings = Settings(store=root)
    write_settings(settings)
    publish_vocabulary(repository(settings), settings.base)
    return root


def _options(store: Path) -> Options:
    return Options(base=read_settings(store).base, author="Essai", apply=True)


def _measure(store: Path, sheets: Path) -> None:
    """Import, and print the table of one case."""
    files, found, stages = inputs(sheets), repository(read_settings(store)), Stages()
    report = load(files, found, _options(store), stages)
    stages("end")
    if not report.commit:
        sys.exit(f"Nothing was published: {[p.message.fr for p in report.problems[:3]]}")
    print("| stage | wall s | processor s |\n|---|---:|---:|")
    for name, (wall, cpu) in stages.spent.items():
        print(f"| {name} | {wall:.2f} | {cpu:.2f} |")
    walls, cpus = zip(*stages.spent.values(), strict=True)
    print(f"| **in all** | **{sum(walls):.2f}** | **{sum(cpus):.2f}** |")
    change = report.proposal.change
    print(f"\n{len(change.added)} facts added; peak {_megabytes()} MB.")


def _seconds() -> float:
    """Return the processor's seconds of this process and of its ended children."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


if __name__ == "__main__":
    main()
