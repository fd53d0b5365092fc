"""Every kind of page about a thing or a word, in Chromium."""

import pytest
from playwright.sync_api import BrowserContext

import watching

PAGES = (
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
    "/doc/departement/68",
    "/voc",
    "/voc/ns",
    "/voc/ns/Engagement",
)

pytestmark = watching.needed


@watching.languages
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_at_every_width_in_both_themes(
    context: BrowserContext, site: str, path: str, language: str
) -> None:
    assert watching.faults(context, site, path, language) == []
