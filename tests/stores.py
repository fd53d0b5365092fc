"""The stores that many tests read, each built once for all workers of a run."""

import csv
import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from thc_graph.cli.app import repository
from thc_graph.cli.import_ import load
from thc_graph.cli.init import publish_vocabulary
from thc_graph.instance.settings import Settings, read_settings, resources, write_settings
from thc_graph.sheets.imports.datasets import inputs
from thc_graph.store.writes.repository import Repository

DEPARTEMENTS = {"68", "26", "33", "38", "75", "35", "69", "2A", "44", "59", "13", "92", "93", "97"}


def shared(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Repository:
    """Return a store that the first worker to ask for it builds; each has a copy of its own."""
    own = factory.getbasetemp() / name
    if "PYTEST_XDIST_WORKER" in os.environ:
        shutil.copytree(_built_once(own.parents[1] / name, build), own)
    else:
        build(own)
    return repository(read_settings(own))


def copied(repository: Repository, folder: Path) -> Repository:
    """Return a copy of a store, to write in."""
    own = replace(repository, root=folder / "store")
    shutil.copytree(repository.root, own.root)
    return own


def _built_once(store: Path, build: Callable[[Path], None]) -> Path:
    with store.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not store.exists():
            draft = store.with_suffix(f".{os.getpid()}")
            build(draft)
            draft.rename(store)
    return store


def vocabulary(store: Path) -> None:
    """Build a store that holds the vocabulary only."""
    _publish_vocabulary(Settings(store=store))


def demonstration(store: Path) -> None:
    """Build a demonstration instance, with some of the communes."""
    settings = Settings(store=store, demonstration=True)
    found = _publish_vocabulary(settings)
    data = resources().data_folder
    with TemporaryDirectory() as folder:
        territories = some_territories(Path(folder) / "territoires")
        for path in (territories, data / "programme", data / "demo"):
            report = load(inputs(path), found, settings, "tests", apply=True)
            assert report.exit_code == 0, [p.as_dict("fr") for p in report.problems][:20]


def _publish_vocabulary(settings: Settings) -> Repository:
    write_settings(settings)
    found = repository(settings)
    publish_vocabulary(found, settings.base)
    return found


def some_territories(folder: Path) -> Path:
    """Copy the reference sheets, with the communes of a few départements only."""
    source = resources().data_folder / "territories"
    shutil.copytree(source, folder)
    for name in ("communes.csv", "coordonnees.csv", "chefs-lieux.csv"):
        _keep(folder / name)
    return folder


def _keep(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    place = header.index("Chef-lieu" if "Chef-lieu" in header else "Code INSEE")
    kept = [row for row in rows if row[place][:2] in DEPARTEMENTS]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *kept])
