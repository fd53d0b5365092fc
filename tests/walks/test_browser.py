"""Every kind of page in Chromium: accessible, within its width, alone on the web."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

import axe
from browsing import chromium, needs_chromium

EVERY = "THC_EVERY" in os.environ  # CI sets it: English too at every width
WIDTHS = (1280, 390, 320)  # CSS pixels; 320 is WCAG 1.4.10, reflow
PAGES = (
    "/",
    "/doc/commune/68224",
    "/doc/organisation/democratie-ouverte",
    "/doc/territoire/exemple-villeneuve",
    "/doc/engagement/exemple-villeneuve-2024-2027-t4",
    "/doc/engagement/exemple-villeneuve-2024-2027-t4?source=1",
    "/doc/engagement/exemple-villeneuve-2024-2027-t4/historique",
    "/doc/plan/exemple-villeneuve-2024-2027",
    "/doc/methode/budget-participatif",
    "/doc/experience/plan-d-action-municipal-de-barcelone-sur-decidim",
    "/doc/evenement/2026-06-11-visio-publier-le-budget-en-donnees-ouvertes-fictive",
    "/doc/serie/visites",
    "/doc/gap/exemple-jardin-des-tilleuls",
    "/doc/fiche/methode-referendum-local",
    "/doc/personne/laurence-monnoyer",
    "/doc/convention/territoire-exemple-villeneuve-2024-01",
    "/doc/adhesion/216802249-programme",
    "/doc/programme/thc",
    "/voc/democratie-ouverte/transparence",
    "/voc/democratie-ouverte",
    "/voc/ns/porteur",
    "/commune",
    "/engagement",
    "/tableau-de-bord",
    "/tableau-de-bord?embed=1",
    "/agenda",
    "/agenda?periode=passe",
    "/carte",
    "/carte?nature=experience",
    "/ligne-de-temps",
    "/schema",
    "/experience?vue=carte&resultat=reussite",
    "/experience?q=zzzz",
    "/recherche?q=mulhuse",
    "/recherche?q=zzzzqqq",
    "/recherche?q=68100",
    "/experience?vue=tableau",
    "/doc/departement/68",
    "/sparql",
    "/sparql/exemples",
    "/sparql/exemples/carte-des-prefectures",
    "/sparql/exemples/communes-les-plus-peuplees",
    "/sparql/exemples/agenda",
    "/limites",
    "/mentions-legales",
    "/voc",
    "/voc/ns",
    "/voc/ns/Engagement",
    "/rien-ici",
)

pytestmark = [pytest.mark.long, needs_chromium]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context() as context:
        yield context


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


@axe.needed
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_at_every_width_in_both_themes(
    context: BrowserContext, site: str, path: str, language: str
) -> None:
    watched = Watched(context, site)
    page = watched.page
    page.goto(f"{site}{path}{'&' if '?' in path else '?'}lang={language}")
    if page.query_selector("#zoom"):  # the map that zooms comes after the page
        page.wait_for_selector("#zoom .marque-lieu")
    axe.install(page)
    for width in WIDTHS if EVERY or language == "fr" else WIDTHS[-1:]:
        page.set_viewport_size({"width": width, "height": 900})
        for theme in axe.RULES:
            assert axe.faults(page, theme) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (_unexpected(watched.complaints, path), watched.elsewhere) == ([], [])
    page.close()


def _unexpected(complaints: list[str], path: str) -> list[str]:
    """Leave out what the browser says of a page that is meant to be missing."""
    return [each for each in complaints if not (path == "/rien-ici" and "404" in each)]
