"""Debian's Chromium, driven by Playwright, for the tests that look at pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-sync",
]

needs_chromium = [
    pytest.mark.all,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a browser that asks nothing of anyone by itself.

    While it is open its thread runs an event loop, so no fixture keeps it longer than a module.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()
