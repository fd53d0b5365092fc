"""The demonstration instance as visitors meet it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext

from browsing import chromium
from serving import served
from thc_graph.store.writes.repository import Repository


@pytest.fixture(scope="module")
def site(demo: Repository) -> Iterator[str]:
    """Give the address of a server of the demonstration instance."""
    with served(demo.root) as address:
        yield address


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    """Give a browser's window of one's own, for pages that are looked at."""
    with chromium() as browser, browser.new_context() as context:
        yield context
