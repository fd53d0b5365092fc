"""The map that zooms: points, keyboard, popups, axe; and the same places without script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright
from tests.serving import served

from thc_graph.store.publication import Repository
from thc_graph.web import assets
from thc_graph.web.atlas import ZOOMABLE

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
QUIET = ("--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-sync")
ADDRESS = "/carte?nature=experience&lang=fr"

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
    pytest.mark.skipif(
        not all(map(assets.exists, ZOOMABLE)), reason="Leaflet is not there: scripts/assets.py"
    ),
]


@pytest.fixture(scope="module")
def site(demo: Repository) -> Iterator[str]:
    with served(demo.root) as address:
        yield address


@pytest.fixture
def page(site: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        yield browser.new_page(base_url=site, reduced_motion="reduce")
        browser.close()


def test_points_open_into_links_by_keyboard_alone(page: Page, site: str) -> None:
    complaints: list[str] = []
    elsewhere: list[str] = []
    page.on("console", lambda told: complaints.append(told.text))
    page.on("request", lambda sent: elsewhere.append(sent.url))
    page.goto(ADDRESS)
    page.wait_for_selector("#zoom .marque-lieu")
    listed = page.locator(".lieux [data-point]").count()
    names = page.locator(".lieux [data-point] > a").all_inner_texts()
    page.locator(".lieux .voir").first.press("Enter")
    assert page.evaluate("document.activeElement.id") == "zoom"
    mark = page.get_by_title(names[0], exact=False).first
    mark.press("Enter")
    popup = page.locator(".leaflet-popup-content")
    popup.wait_for()
    assert popup.locator("p a").first.inner_text() == names[0]
    assert popup.locator("li a[href^='/doc/experience/']").count() >= 1
    assert page.evaluate("document.activeElement.closest('.leaflet-popup') !== null")
    page.keyboard.press("Escape")
    popup.wait_for(state="detached")
    marks = page.locator("#zoom .marque-lieu").all_inner_texts()
    page.goto(ADDRESS)
    page.wait_for_selector("#zoom .marque-lieu")
    assert 0 < page.locator("#zoom .marque-lieu").count() <= listed == len(names)
    assert sum(map(int, page.locator("#zoom .marque-lieu").all_inner_texts())) == sum(
        map(int, marks)
    )
    assert complaints == []
    assert [each for each in elsewhere if not each.startswith((site, "data:"))] == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm ci")
def test_a_map_with_an_open_popup_is_accessible(page: Page) -> None:
    page.goto(ADDRESS)
    page.wait_for_selector("#zoom .marque-lieu")
    page.evaluate(AXE.read_text("utf-8"))
    page.locator(".lieux .voir").first.press("Enter")
    page.get_by_title(page.locator(".lieux a").first.inner_text()).first.press("Enter")
    page.wait_for_selector(".leaflet-popup-content")
    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            faults = [
                (each["id"], [node["html"] for node in each["nodes"]])
                for each in found["violations"]
            ]
            assert faults == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
