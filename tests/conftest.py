"""What tests share: the stores, and the order and places in which workers run them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pyoxigraph import Store

import stores
from thc_graph.instance.reading import Published
from thc_graph.instance.service import Service, open_service
from thc_graph.instance.settings import read_settings
from thc_graph.store.writes.repository import Repository

# A law is true or it is not; how fast it is shown depends on the machine.
settings.register_profile(
    "laws",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("laws")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long tests and end with the widest circle's, its long ones first.

    Workers take a file at a time, in this order.
    """
    items.sort(
        key=lambda item: (
            item.get_closest_marker("all") is not None,
            item.get_closest_marker("long") is None,
        )
    )


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A demonstration instance on disk, with some of the communes."""
    return stores.shared(tmp_path_factory, "demo", stores.demonstration)


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """An instance that holds the vocabulary only."""
    return stores.shared(tmp_path_factory, "vocabulary", stores.vocabulary)


@pytest.fixture
def bare(vocabulary: Repository, tmp_path: Path) -> Repository:
    """An instance of one's own that holds the vocabulary only."""
    return stores.copied(vocabulary, tmp_path)


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
