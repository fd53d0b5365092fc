"""Search over HTTP: straight to what has a name of its own, else what was meant."""

from xml.etree import ElementTree as ET

import httpx
import pytest

from thc_graph.web.rendering.assets import FOLDER as STATIC

pytestmark = pytest.mark.anyio

HTML = {"Accept": "text/html"}


@pytest.mark.parametrize(
    ("typed", "location"),
    [
        ("68224", "/doc/commune/68224"),
        ("216802249", "/doc/collectivite/216802249"),
        ("thc:Engagement", "/voc/ns/Engagement"),
        ("https://data.thc.example/id/region/44", "/doc/region/44"),
    ],
)
async def test_codes_and_iris_go_straight(
    demo_client: httpx.AsyncClient, typed: str, location: str
) -> None:
    answer = await demo_client.get("/recherche", params={"q": typed}, headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, location)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("mulhuse", ["Vouliez-vous dire", "<strong>mulhouse</strong>", "/doc/commune/68224"]),
        ("j’habite 68100", ["Dans la commune", "Haut-Rhin", "Grand Est", "Adhésion"]),
        ("zzzzqqq", ["Rien ne répond", "Pour continuer"]),
        ("démocratie", ["<mark>", "Mots des vocabulaires"]),
        ("", ["Rechercher"]),
    ],
)
async def test_the_page(demo_client: httpx.AsyncClient, typed: str, shown: list[str]) -> None:
    answer = await demo_client.get("/recherche", params={"q": typed}, headers=HTML)
    assert answer.status_code == 200
    assert [each for each in shown if each not in answer.text] == []


async def test_one_kind_has_pages(demo_client: httpx.AsyncClient) -> None:
    asked = {"q": "saint", "dans": "commune"}
    first = await demo_client.get("/recherche", params=asked, headers=HTML)
    assert "dans=commune&amp;page=2" in first.text
    last = await demo_client.get("/recherche", params={**asked, "page": "999"}, headers=HTML)
    assert last.status_code == 404


async def test_the_same_as_data(demo_client: httpx.AsyncClient) -> None:
    accept = {"Accept": "application/json"}
    by_suffix = await demo_client.get("/recherche.json?q=mulhuse")
    by_accept = await demo_client.get("/recherche?q=mulhuse", headers=accept)
    assert by_suffix.json() == by_accept.json()
    assert by_suffix.json()["instead"] == "mulhouse"
    again = {"If-None-Match": by_suffix.headers["etag"]}
    assert (await demo_client.get("/recherche.json?q=mulhuse", headers=again)).status_code == 304
    refused = await demo_client.get("/recherche", headers={"Accept": "image/png"})
    assert refused.status_code == 406


async def test_suggestions_and_their_description(demo_client: httpx.AsyncClient) -> None:
    answer = await demo_client.get("/recherche/suggestions?q=mulh")
    text, names, kinds, pages = answer.json()
    assert (text, names[0], pages[0]) == ("mulh", "Mulhouse", "/doc/commune/68224")
    assert len(names) == len(kinds) == len(pages) <= 8
    content = (await demo_client.get("/recherche/description.xml")).content
    described = ET.fromstring(content)  # noqa: S314 - it is ours
    urls = described.findall("{http://a9.com/-/spec/opensearch/1.1/}Url")
    assert {each.get("type") for each in urls} >= {"text/html", "application/x-suggestions+json"}


async def test_what_is_typed_is_shown_as_text(demo_client: httpx.AsyncClient) -> None:
    attack = '"><script>alert(1)</script>'
    answer = await demo_client.get("/recherche", params={"q": attack}, headers=HTML)
    assert "<script>alert" not in answer.text


def test_the_enhancement_is_small() -> None:
    assert (STATIC / "recherche.js").stat().st_size < 2048


@pytest.mark.parametrize(
    ("path", "offered"),
    [
        ("/doc/commune/mulhuse", "/doc/commune/68224"),
        ("/commune/Saint-%C3%89tiene", "Saint-Étienne"),
        ("/doc/territoire/villeneuve-l-exemple.ttl", "/doc/territoire/exemple-villeneuve"),
        ("/rien-ici", ""),
        ("/%22%3E%3Cscript%3Ealert(1)", ""),
        (f"/{'a' * 5000}", ""),
    ],
)
async def test_an_address_where_nothing_is_proposes_what_is_named_alike(
    demo_client: httpx.AsyncClient, path: str, offered: str
) -> None:
    answer = await demo_client.get(path, headers=HTML)
    assert answer.status_code == 404
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    assert ("Peut-être cherchiez-vous" in main) == bool(offered)
    assert offered in main
    assert "<script>alert" not in main
