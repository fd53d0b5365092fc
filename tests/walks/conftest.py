"""The demonstration instance as visitors meet it."""

from collections.abc import Iterator

import pytest

from serving import served
from thc_graph.store.publication import Repository


@pytest.fixture(scope="module")
def site(demo: Repository) -> Iterator[str]:
    """Give the address of a server of the demonstration instance."""
    with served(demo.root) as address:
        yield address
