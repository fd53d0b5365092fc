"""How long an import takes, stage by stage, and how much memory it needs.

Three imports, each in a process of its own: a thousand records into a store that holds
all territories; the 35 000 communes, with the regions, départements and intercommunal
bodies that they name, into an empty store; and all territories into an empty one.
"""

import argparse
import csv
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from thc_graph.cli.app import repository
from thc_graph.cli.init import publish_vocabulary
from thc_graph.instance.settings import Settings, read_settings, resources, write_settings
from thc_graph.names.lexicon import of_snapshot
from thc_graph.sheets.imports.datasets import FILE as DATASET
from thc_graph.sheets.imports.datasets import inputs
from thc_graph.sheets.imports.load import Options, load

ROWS = 1_000
COMMUNES = "communes.csv"
NAMED = (
    "regions.csv", "departements.csv", "collectivites-outre-mer.csv", "epci.csv", "ept.csv",
    COMMUNES,
)  # fmt: skip


@dataclass
class Stages:
    """What each stage took until the next one began: wall clock, processor, most memory."""

    spent: dict[str, list[float]] = field(default_factory=dict)
    since: tuple[str, float, float] | None = None
    memory: int = 0  # the most that was seen since

    def __post_init__(self) -> None:
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            self.memory = max(self.memory, _megabytes())
            time.sleep(0.1)

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        del done, total
        wall, cpu = time.perf_counter(), _seconds()
        if self.since:
            name, began, used = self.since
            spent = self.spent.setdefault(name, [0.0, 0.0, 0.0])
            spent[0] += wall - began
            spent[1] += cpu - used
            spent[2] = max(spent[2], self.memory)
        self.memory = 0
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
    parser.add_argument("--only", choices=("rows", "communes", "territories"))
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
    if only in (None, "communes"):
        _copy(territories, NAMED, folder / "named")
        yield "35 000 communes and what they name", _bare(folder / "few"), folder / "named"
    if only in (None, "territories"):
        yield "All territories, in an empty store", _bare(folder / "empty"), territories


def _copy(source: Path, names: tuple[str, ...], folder: Path) -> None:
    """Copy some files of a dataset, and as much of what it says of itself."""
    folder.mkdir()
    for name in names:
        shutil.copy(source / name, folder)
    told = yaml.safe_load((source / DATASET).read_text("utf-8"))
    told["files"] = [each for each in told["files"] if each["file"] in names]
    (folder / DATASET).write_text(yaml.safe_dump(told, allow_unicode=True), "utf-8")


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
    print("| stage | wall s | processor s | memory MB |\n|---|---:|---:|---:|")
    for name, (wall, cpu, memory) in stages.spent.items():
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {memory:.0f} |")
    walls, cpus, peaks = zip(*stages.spent.values(), strict=True)
    print(f"| **in all** | **{sum(walls):.2f}** | **{sum(cpus):.2f}** | **{max(peaks):.0f}** |")
    print(f"\n{len(report.proposal.change.added)} facts added.")


def _seconds() -> float:
    """Return the processor's seconds of this process and of its ended children."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _megabytes() -> int:
    """Return what this process and its children hold now."""
    children = Path("/proc/self/task").glob("*/children")
    pids = ["self", *(pid for each in children for pid in each.read_text().split())]
    return sum(map(_resident, pids)) >> 20


def _resident(pid: str) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except OSError:  # it has ended
        return 0
    return int(pages) * resource.getpagesize()


if __name__ == "__main__":
    main()
