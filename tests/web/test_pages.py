"""Pages and data over HTTP: the same facts in every format, and the manners of the web."""

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from html.parser import HTMLParser

import httpx
import pytest
from pyoxigraph import Triple, parse

from thc_graph.instance.service import Service
from thc_graph.rdf import formats
from thc_graph.store.engine.lanes import Room
from thc_graph.web.rendering import assets
from thc_graph.web.rendering.templates import read_messages

pytestmark = pytest.mark.anyio

MULHOUSE = "/doc/commune/68224"
ALL_FORMATS = (*formats.GRAPH_FORMATS, *formats.DATASET_FORMATS)
VOID_ELEMENTS = {"meta", "link", "input", "br", "img", "hr"}


def triples(response: httpx.Response) -> list[Triple]:
    media_type = response.headers["content-type"].partition(";")[0]
    form = formats.by_media_type(media_type)
    assert form
    return sorted((quad.triple for quad in parse(response.content, format=form.syntax)), key=str)


class Outline(HTMLParser):
    """What a page is made of; complains of elements left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), tuple(self.open)))
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes, _ in self.found if name == tag]


async def page(client: httpx.AsyncClient, path: str, **headers: str) -> httpx.Response:
    response = await client.get(path, headers={"Accept": "text/html", **headers})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return response


@pytest.mark.parametrize("form", ALL_FORMATS, ids=lambda form: form.suffix)
async def test_every_format_carries_the_same_triples(
    client: httpx.AsyncClient, form: formats.Format
) -> None:
    nt = await client.get(f"{MULHOUSE}.nt")
    by_suffix = await client.get(f"{MULHOUSE}.{form.suffix}", headers={"Accept": "text/html"})
    by_accept = await client.get(MULHOUSE, headers={"Accept": form.media_type})
    assert by_suffix.headers["content-type"].startswith(form.media_type)
    assert triples(by_suffix) == triples(by_accept) == triples(nt)


async def test_a_territory_comes_with_its_authority_and_adhesion(client: httpx.AsyncClient) -> None:
    text = (await client.get(f"{MULHOUSE}.nt")).text
    assert '<https://w3id.org/thc/ns#siren> "216802249"' in text
    assert '#dateAdhesion> "2014-03"' in text
    assert '/departement/68> <http://www.w3.org/2000/01/rdf-schema#label> "Haut-Rhin"@fr' in text


async def test_incoming_links_are_among_the_triples(client: httpx.AsyncClient) -> None:
    text = (await client.get("/doc/departement/68.nt")).text
    assert "/commune/68224> <https://w3id.org/thc/ns#departement>" in text


async def test_a_thing_sends_on_to_its_page(client: httpx.AsyncClient) -> None:
    response = await client.get("/id/commune/68224?lang=en", headers={"Accept": "text/turtle"})
    assert response.status_code == 303
    assert response.headers["location"] == f"{MULHOUSE}?lang=en"


async def test_a_page_tells_facts_in_the_order_of_the_shapes(client: httpx.AsyncClient) -> None:
    text = (await page(client, MULHOUSE)).text
    found = re.findall(r"<h3 id=\"[^\"]+\">([^<]+)<", text)
    assert found[:4] == ["Identité", "Localisation", "Liens", "Autres informations"]
    assert "104\u202f978" in text
    assert '<time datetime="2014-03">mars 2014</time>' in text
    assert "216802249" in text
    assert '<span lang="de">Mülhausen</span>' in text


async def test_links_to_our_things_stay_here(client: httpx.AsyncClient) -> None:
    text = (await page(client, f"{MULHOUSE}?lang=en")).text
    assert 'href="/doc/departement/68?lang=en"' in text
    assert 'href="http://www.wikidata.org/entity/Q79815" rel="external noopener"' in text
    assert '<html lang="en">' in text


async def test_a_name_is_only_ever_text(client: httpx.AsyncClient) -> None:
    for path in ("/doc/commune/26289", "/doc/departement/68", "/commune"):
        text = (await page(client, path)).text
        scripts = re.findall(r"<script[^>]*>", text)
        assert [each for each in scripts if "ld+json" not in each] == scripts[:1]  # our own
        assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in text
        assert 'href="javascript:' not in text


@pytest.mark.parametrize(
    "path",
    ["/", "/commune", MULHOUSE, "/doc/departement/68", "/sparql", "/voc", "/voc/theme/opengov"],
)
async def test_a_page_is_well_formed(client: httpx.AsyncClient, path: str) -> None:
    outline = Outline((await page(client, path)).text)
    (heading,) = [above for tag, _, above in outline.found if tag == "h1"]
    assert "main" in heading
    assert outline.all("html") == [{"lang": "fr"}]
    ids = [attributes["id"] for _, attributes, _ in outline.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    captions = [above for tag, _, above in outline.found if tag == "caption"]
    assert len(captions) == len(outline.all("table"))
    ours = {"type": "module", "src": assets.address("recherche.js")}
    assert outline.all("script")[:1] == [ours]
    rest = outline.all("script")[1:]
    loaded = [each for each in rest if each != {"type": "application/ld+json"}]
    assert all((each["src"] or "").startswith("/static/") for each in loaded)
    assert not [each for _, each, _ in outline.found if "style" in each]
    assert any(each.get("href") == "#contenu" for each in outline.all("a"))


@pytest.mark.parametrize(
    "path", ["/", "/commune", MULHOUSE, f"{MULHOUSE}.ttl", "/sparql", "/nothing", "/healthz"]
)
async def test_every_answer_bears_the_security_headers(
    client: httpx.AsyncClient, path: str
) -> None:
    headers = (await client.get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers


async def test_the_banner_of_a_demonstration(client: httpx.AsyncClient) -> None:
    for path in ("/", "/commune", MULHOUSE, "/sparql"):
        assert "Instance de démonstration" in (await page(client, path)).text


@pytest.mark.parametrize("path", ["/", "/commune", MULHOUSE, f"{MULHOUSE}.ttl", "/voc/ns/Commune"])
async def test_head_equals_get(client: httpx.AsyncClient, path: str) -> None:
    get, head = await client.get(path), await client.head(path)
    assert head.status_code == get.status_code == 200
    for response in (head, get):
        del response.headers["x-request-id"]  # each request has its own
    assert head.headers == get.headers
    assert head.content == b""


@pytest.mark.parametrize("path", ["/", "/commune", MULHOUSE, f"{MULHOUSE}.ttl"])
async def test_a_reader_who_has_it_already(client: httpx.AsyncClient, path: str) -> None:
    first = await client.get(path)
    again = await client.get(path, headers={"If-None-Match": f'W/"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["vary"] == "Accept, Accept-Language, Accept-Encoding"
    since = {"If-Modified-Since": first.headers["last-modified"]}
    assert (await client.get(path, headers=since)).status_code == 304
    stale = {**since, "If-None-Match": '"other"'}
    assert (await client.get(path, headers=stale)).status_code == 200


async def test_representations_have_validators_of_their_own(client: httpx.AsyncClient) -> None:
    asked = [
        {"Accept": "text/html"},
        {"Accept": "text/html", "Accept-Language": "en"},
        {"Accept": "text/turtle"},
        {"Accept": "application/ld+json"},
    ]
    tags = {(await client.get(MULHOUSE, headers=each)).headers["etag"] for each in asked}
    assert len(tags) == len(asked)


async def test_links_between_representations(client: httpx.AsyncClient) -> None:
    link = (await client.get(f"{MULHOUSE}.ttl")).headers["link"]
    assert f'<{MULHOUSE}.jsonld>; rel="alternate"; type="application/ld+json"' in link
    assert f'<https://data.thc.example{MULHOUSE}>; rel="canonical"' in link
    assert '<https://data.thc.example/id/commune/68224>; rel="describes"' in link
    assert 'rel="describedby"' in link


@pytest.mark.parametrize(
    "path",
    [
        "/doc/commune/99999",
        "/doc/commune/99999.ttl",
        "/doc/com<mune/%22",
        "/doc/commune/68224.exe",
        "/voc/nothing",
        "/nothing",
        "/commune?page=2",
        "/commune?page=x",
        "/commune?page=0",
    ],
)
async def test_nothing_is_there(client: httpx.AsyncClient, path: str) -> None:
    machine = await client.get(path)
    assert machine.status_code == 404
    assert machine.headers["content-type"] == "application/problem+json"
    assert machine.json()["code"] == "NotFound"
    browser = await client.get(path, headers={"Accept": "text/html", "Accept-Language": "en"})
    assert browser.status_code == 404
    assert "Nothing is published at this address" in browser.text


async def test_where_nothing_is_all_who_wait_are_told_so(
    client: httpx.AsyncClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Near names are looked for on the account of who asks; without a place they are left out."""
    headers = {"Accept": "text/html"}
    near = "/doc/commune/mulhousse"
    assert 'href="/doc/commune/68224"' in (await client.get(near, headers=headers)).text
    monkeypatch.setattr(service.published.beside, "room", Room(0, 0))
    answer = await client.get(near, headers=headers)
    assert answer.status_code == 404
    assert 'href="/doc/commune/68224"' not in answer.text


@pytest.mark.parametrize("path", [MULHOUSE, "/commune", "/"])
async def test_what_is_not_offered(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path, headers={"Accept": "image/png"})
    assert response.status_code == 406
    assert "text/html" in response.json()["offered"]


@pytest.mark.parametrize("suffix", ["", ".ttl", ".html"])
async def test_a_former_code_sends_on_for_good(client: httpx.AsyncClient, suffix: str) -> None:
    response = await client.get(f"/doc/commune/68999{suffix}?lang=en")
    assert response.status_code == 301
    assert response.headers["location"] == f"{MULHOUSE}{suffix}?lang=en"
    assert (await client.get(response.headers["location"])).status_code == 200


async def test_a_wrong_method(client: httpx.AsyncClient) -> None:
    response = await client.post(MULHOUSE)
    assert response.status_code == 405
    assert response.headers["allow"]
    assert response.json()["code"] == "MethodNotAllowed"


async def test_a_fault_of_ours_tells_nothing(
    client: httpx.AsyncClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.published.pool, "answer", None)
    response = await client.get("/doc/commune/91228", headers={"Accept": "text/turtle"})
    assert response.status_code == 500
    assert set(response.json()) == {"type", "title", "detail", "status", "code", "reference"}
    assert "thc_graph" not in response.text
    assert response.headers["content-security-policy"]
    assert response.headers["access-control-allow-origin"] == "*"


async def test_a_list_is_in_the_order_of_names(client: httpx.AsyncClient) -> None:
    text = (await page(client, "/commune")).text
    found = re.findall(r"<h2><a href=\"/doc/commune/(\d+)\"", text)
    assert found == ["26289", "01004", "91228", "68224"]
    assert "4 résultats" in text
    assert "Les communes de France." in text


async def test_home_counts_what_the_lists_hold(client: httpx.AsyncClient) -> None:
    text = (await page(client, "/")).text
    assert '<a href="/commune">Communes</a> <span class="compte">4</span>' in text
    for door in ("J’habite ici", "Je suis élu·e ou agent", "Je réutilise les données"):
        assert door in text


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/voc/ns/Commune", "commune"),
        ("/voc/theme/opengov", "gouvernement ouvert"),
        ("/voc/theme/", "Thèmes"),
        ("/voc/theme", "Thèmes"),
    ],
)
async def test_words_of_the_vocabulary(client: httpx.AsyncClient, path: str, title: str) -> None:
    text = (await page(client, path)).text
    assert re.search(rf"<h1[^>]*>{title}</h1>", text)


async def test_a_new_publication_is_served_without_a_stop(
    service: Service,
    publish: Callable[..., None],
    limited: Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]],
) -> None:
    async with limited(refresh_seconds=0.02) as client:
        before = after = await client.get(f"{MULHOUSE}.ttl")
        publish("decade", "<commune/68224> <https://example.org/new> 1 .")
        async with asyncio.timeout(30):
            while after.headers["etag"] == before.headers["etag"]:
                await asyncio.sleep(0.02)
                after = await client.get(f"{MULHOUSE}.ttl")
    assert "https://example.org/new" in after.text
    assert await service.refresh()
    assert not await service.refresh()


async def test_health(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200


async def test_a_reader_outlives_the_folder_of_a_publication(
    service: Service, client: httpx.AsyncClient
) -> None:
    path = service.published.snapshot.path
    aside = path.rename(path.with_name("aside"))
    try:
        assert (await client.get("/doc/commune/68224.ttl")).status_code == 200
    finally:
        aside.rename(path)


def test_every_sentence_stands_in_both_languages() -> None:
    assert {key for key, each in read_messages().items() if set(each) != {"fr", "en"}} == set()


VISIO = "/doc/evenement/2026-06-11-visio-publier-le-budget-en-donnees-ouvertes-fictive"


@pytest.mark.parametrize(
    ("language", "told"),
    [("fr", ["11 juin 2026", "12\u00a0h\u00a030"]), ("en", ["11 June 2026", "12:30"])],
)
async def test_days_and_hours_are_written_as_people_do(
    demo_client: httpx.AsyncClient, language: str, told: list[str]
) -> None:
    text = (await page(demo_client, f"{VISIO}?lang={language}")).text
    assert [each for each in told if each not in text] == []
    assert "12:30:00<" not in text
    assert f'href="{VISIO}.ics"' in text


async def test_a_lost_visitor_is_given_words_to_search_for(client: httpx.AsyncClient) -> None:
    answer = await client.get(
        "/doc/commune/villeneuve-d-ascq.html", headers={"Accept": "text/html"}
    )
    assert answer.status_code == 404
    assert 'name="q" value="villeneuve d ascq"' in answer.text


async def test_a_place_where_nothing_is_recorded_leads_to_what_is_near(
    demo_client: httpx.AsyncClient,
) -> None:
    text = (await page(demo_client, "/doc/commune/68001")).text
    assert "Aucun engagement ni aucune expérience recensés ici" in text
    assert 'href="/recherche?q=68600"' in text
    assert 'class="situation"' in text or not assets.exists("vendor/france/departements.svg")
    held = (await page(demo_client, "/doc/territoire/exemple-villeneuve")).text
    assert "Aucun engagement" not in held
