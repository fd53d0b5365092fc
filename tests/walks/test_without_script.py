"""A visitor without JavaScript: searches, narrows a list, turns its pages, takes it away."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from browsing import chromium, needs_chromium

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def page(site: str) -> Iterator[Page]:
    with chromium() as browser:
        context = browser.new_context(java_script_enabled=False, base_url=site, locale="fr")
        yield context.new_page()


def test_a_word_typed_in_haste_leads_to_the_town(page: Page) -> None:
    page.goto("/")
    page.fill("form.cherche input[name=q]", "mulhuse")
    page.click("form.cherche button")
    assert "Vouliez-vous dire" in page.inner_text("main")
    page.click("main a[href^='/doc/commune/68224']")
    assert page.inner_text("h1") == "Mulhouse"


def test_a_list_is_narrowed_by_a_facet_and_a_word_then_freed(page: Page) -> None:
    page.goto("/experience")
    whole = total(page)
    choice = page.locator("form.filtres label:has(input[name=resultat])").first
    counted = int(choice.locator(".compte").text_content() or "")
    if not choice.is_visible():  # only the first facets are unfolded
        page.click("form.filtres .facette:has(input[name=resultat]) > summary")
    choice.locator("input").check()
    page.click("form.filtres button[type=submit]")
    assert (total(page), "resultat=" in page.url) == (counted, True)
    page.fill("form.filtres input[name=q]", "zzzz")
    page.click("form.filtres button[type=submit]")
    assert total(page) == 0
    page.locator(".jetons a").last.click()
    assert total(page) == whole


def test_the_pages_of_a_list_follow_one_another(page: Page) -> None:
    page.goto("/departement")
    first = names(page)
    page.click("a[rel=next]")
    second = names(page)
    page.click("a[rel=prev]")
    assert names(page) == first
    assert not set(first) & set(second)


def total(page: Page) -> int:
    told = re.match(r"[\d\s\u202f\xa0]+", page.inner_text(".total"))
    return int(re.sub(r"\D", "", told[0])) if told else 0


def names(page: Page) -> list[str]:
    return page.locator(".resultats a[href^='/doc/departement/']").all_inner_texts()
