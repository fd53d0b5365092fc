"""The editor in a real browser: it works under our policy and asks nothing of anyone else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

import axe
from browsing import chromium, needs_chromium
from thc_graph.web.sparql.page import EDITOR

ANSWERS = {  # each kind of answer, and what shows that it has come
    "SELECT * { ?s ?p ?o } LIMIT 12": "table tbody tr",
    "ASK {}": ".booleanResult",
    "CONSTRUCT WHERE { ?s ?p ?o } LIMIT 3": "table tbody tr",
    "SELECT * {": ".errorResult",
}

pytestmark = [
    *needs_chromium,
    pytest.mark.skipif(not EDITOR.is_file(), reason="scripts/assets.py has not installed yasgui"),
]


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page(locale="fr")


def test_the_editor_opens_runs_and_gives_its_text_back(page: Page, address: str) -> None:
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/sparql")
    page.click("button[aria-controls=editeur]")
    assert not page.locator("form.requete").is_visible()
    text = "SELECT ?s { ?s a ?o } LIMIT 3"
    page.evaluate(f"document.querySelector('#editeur .CodeMirror').CodeMirror.setValue('{text}')")
    page.click("#editeur .yasqe_queryButton")
    page.wait_for_selector("#editeur table tbody tr")
    assert page.locator("#editeur table tbody tr").count() == 3
    page.click("button[aria-controls=editeur]")
    assert page.locator("#query").input_value() == text
    assert errors == []
    assert all(url.startswith((address, "data:", "blob:")) for url in asked)
    unnamed = "#editeur :is(textarea, input, select):not([aria-label])"
    assert all(each.evaluate("e => e.labels.length") for each in page.locator(unnamed).all())


@axe.needed
def test_the_editor_and_its_answers_are_accessible(page: Page, address: str) -> None:
    page.goto(f"{address}/sparql")
    page.click("button[aria-controls=editeur]")
    axe.install(page)
    for text, shown in ANSWERS.items():
        write = "text => document.querySelector('#editeur .CodeMirror').CodeMirror.setValue(text)"
        page.evaluate(write, text)
        page.click("#editeur .yasqe_queryButton")
        page.wait_for_selector(f"#editeur {shown}")
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 900})
            assert [axe.faults(page, theme) for theme in axe.RULES] == [[], []], text
            assert page.evaluate("document.documentElement.scrollWidth") <= width, text


def test_the_plain_form_works_without_script(page: Page, address: str) -> None:
    without = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    plain = without.new_page()
    plain.goto(f"{address}/sparql?lang=fr")
    plain.fill("#query", "ASK { ?s ?p ?o }")
    plain.click("form.requete button[type=submit]")
    assert plain.locator(".verdict").inner_text() == "Oui"
    without.close()
