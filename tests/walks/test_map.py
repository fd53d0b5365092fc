"""The map that zooms: points, keyboard, popups, axe; and the same places without script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

import axe
from browsing import chromium, needs_chromium
from thc_graph.web.pages.maps import ZOOMABLE
from thc_graph.web.rendering import assets

ADDRESS = "/carte?nature=experience&lang=fr"

pytestmark = [
    pytest.mark.long,
    *needs_chromium,
    pytest.mark.skipif(
        not all(map(assets.exists, ZOOMABLE)), reason="Leaflet is not there: scripts/assets.py"
    ),
]


@pytest.fixture
def page(site: str) -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page(base_url=site, reduced_motion="reduce")


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


@axe.needed
def test_a_map_with_an_open_popup_is_accessible(page: Page) -> None:
    page.goto(ADDRESS)
    page.wait_for_selector("#zoom .marque-lieu")
    axe.install(page)
    page.locator(".lieux .voir").first.press("Enter")
    page.get_by_title(page.locator(".lieux a").first.inner_text()).first.press("Enter")
    page.wait_for_selector(".leaflet-popup-content")
    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in axe.RULES:
            assert axe.faults(page, theme) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
