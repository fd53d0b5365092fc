"""Every other kind of page, in Chromium: lists, search, dashboard, agenda, maps, SPARQL."""

import pytest
from playwright.sync_api import BrowserContext

import watching

PAGES = (
    "/",
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
    "/sparql",
    "/sparql/exemples",
    "/sparql/exemples/carte-des-prefectures",
    "/sparql/exemples/communes-les-plus-peuplees",
    "/sparql/exemples/agenda",
    "/limites",
    "/mentions-legales",
    "/rien-ici/mulhuse",
)

pytestmark = watching.needed


@watching.languages
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_at_every_width_in_both_themes(
    context: BrowserContext, site: str, path: str, language: str
) -> None:
    assert watching.faults(context, site, path, language) == []
