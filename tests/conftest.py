"""What the walks share: one demonstration instance, loaded by the product's own commands."""

import csv
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyoxigraph import Store

from thc_graph.cli.app import repository
from thc_graph.cli.import_ import load
from thc_graph.cli.init import publish_vocabulary
from thc_graph.service import Published, Service, open_service
from thc_graph.settings import Settings, read_settings, resources, write_settings
from thc_graph.sheets.datasets import inputs
from thc_graph.store.publication import Repository

DEPARTEMENTS = {"68", "26", "33", "38", "75", "35", "69", "2A", "44", "59", "13", "92", "93", "97"}


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


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A demonstration instance on disk, with some of the communes."""
    folder = tmp_path_factory.mktemp("demo")
    settings = Settings(store=folder / "store", demonstration=True)
    write_settings(settings)
    found = repository(settings)
    publish_vocabulary(found, settings.base)
    data = resources().data_folder
    territories = some_territories(folder / "territoires")
    for path in (territories, data / "programme", data / "demo"):
        report = load(inputs(path), found, settings, "tests", apply=True)
        assert report.exit_code == 0, [p.as_dict("fr") for p in report.problems][:20]
    return found


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """An instance that holds the vocabulary only."""
    settings = Settings(store=tmp_path_factory.mktemp("vocabulary") / "store")
    write_settings(settings)
    found = repository(settings)
    publish_vocabulary(found, settings.base)
    return found


@pytest.fixture
def bare(vocabulary: Repository, tmp_path: Path) -> Repository:
    """An instance of one's own that holds the vocabulary only."""
    own = replace(vocabulary, root=tmp_path / "store")
    shutil.copytree(vocabulary.root, own.root)
    return own


@pytest.fixture(scope="session")
def demo_store(demo: Repository) -> Store:
    snapshot = demo.current()
    assert snapshot is not None
    return snapshot.store()


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def reading(demo: Repository) -> AsyncIterator[Published]:
    service: Service = open_service(read_settings(demo.root))
    await service.start()
    yield service.published
    await service.stop()
