"""Pages as a browser judges them: accessible, within their width, alone on the web."""

import pytest
from playwright.sync_api import BrowserContext, Page

import axe
from browsing import needs_chromium

WIDTHS = (1280, 390, 320)  # CSS pixels; 320 is WCAG 1.4.10, reflow

needed = [pytest.mark.long, *needs_chromium, axe.needed]
languages = pytest.mark.parametrize("language", ["fr", "en"])


class Watched:
    """A page, what it asked for elsewhere, and what the browser complained of."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", lambda told: self.complaints.append(told.text))
        self.page.on("request", lambda sent: self._note(sent.url, address))

    def _note(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:")):
            self.elsewhere.append(url)


def faults(context: BrowserContext, site: str, path: str, language: str) -> list[object]:
    """Return what is wrong with a page, at every width and in both themes."""
    watched = Watched(context, site)
    page = watched.page
    page.goto(f"{site}{path}{'&' if '?' in path else '?'}lang={language}")
    if page.query_selector("#zoom"):  # the map that zooms comes after the page
        page.wait_for_selector("#zoom .marque-lieu")
    axe.install(page)
    found: list[object] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for theme in axe.RULES:
            found += [(width, theme, each) for each in axe.faults(page, theme)]
            wide = page.evaluate("document.documentElement.scrollWidth")
            found += [(width, theme, "scrolls", wide)] if wide > width else []
    page.close()
    return [*found, *_unexpected(watched.complaints, path), *watched.elsewhere]


def _unexpected(complaints: list[str], path: str) -> list[str]:
    """Leave out what the browser says of a page that is meant to be missing."""
    return [each for each in complaints if not (path.startswith("/rien-ici") and "404" in each)]
