"""Former codes lead on, and what has a key that is no slug answers as all else does."""

from collections.abc import AsyncIterator, Callable
from urllib.parse import unquote

import httpx
import pytest

from thc_graph.instance.service import Service
from thc_graph.rdf import formats
from visiting import visiting

pytestmark = pytest.mark.anyio

HTML = {"Accept": "text/html"}
MORE = """
@prefix thc: <https://w3id.org/thc/ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix igeo: <http://rdf.insee.fr/def/geo#> .
@base <https://data.thc.example/id/> .
<commune/99001> a thc:Commune ; rdfs:label "Une"@fr ; igeo:codeINSEE "99001" ;
    thc:ancienCode "99801" , "99802" , "99002" .
<commune/99002> a thc:Commune ; rdfs:label "Autre"@fr ; igeo:codeINSEE "99002" ;
    thc:ancienCode "99802" , "2Z001" .
<methode/contributions/forum_ouvert.md> a thc:Methode ; rdfs:label "Forum ouvert"@fr .
<methode/contributions/export.html> a thc:Methode ; rdfs:label "Un export"@fr .
<methode/contributions/a/été.csv> a thc:Methode ; rdfs:label "Profonde"@fr .
<methode/contributions/東京.md> a thc:Methode ; rdfs:label "Lointaine"@fr .
"""
SLASHED = ["contributions/forum_ouvert.md", "contributions/export.html"]
SLASHED += ["contributions/a/%C3%A9t%C3%A9.csv", "contributions/%E6%9D%B1%E4%BA%AC.md"]


@pytest.fixture(scope="module")
async def client(
    service: Service, publish: Callable[..., None]
) -> AsyncIterator[httpx.AsyncClient]:
    publish("c0ffee2", MORE)
    async with visiting(service) as client:
        yield client


@pytest.mark.parametrize("rest", ["", "?lang=en", ".ttl", ".html?source=1&lang=en"])
@pytest.mark.parametrize(("former", "present"), [("99801", "99001"), ("2Z001", "99002")])
async def test_a_former_code_leads_to_the_present_territory(
    client: httpx.AsyncClient, former: str, present: str, rest: str
) -> None:
    for space in ("doc", "id"):
        answer = await client.get(f"/{space}/commune/{former}{rest}")
        if space == "id" and rest.startswith("."):
            continue  # /id names things, not files
        assert answer.status_code == 301
        assert answer.headers["location"] == f"/{space}/commune/{present}{rest}"
        there = await client.get(answer.headers["location"], follow_redirects=True)
        assert there.status_code == 200


@pytest.mark.parametrize(
    "rest",
    [
        "historique",
        "cite-par?propriete=a%3Ab&liste=commune",
        "territoire-gap.csv",
        "territoire-gap.rq?lang=en",
    ],
)
async def test_what_an_entity_has_beside_its_page_moves_too(
    client: httpx.AsyncClient, rest: str
) -> None:
    answer = await client.get(f"/doc/commune/99801/{rest}")
    assert (answer.status_code, answer.headers["location"]) == (301, f"/doc/commune/99001/{rest}")


async def test_a_code_that_several_took_over_names_them(client: httpx.AsyncClient) -> None:
    targets = ["/doc/commune/99001", "/doc/commune/99002"]
    answer = await client.get("/doc/commune/99802", headers={"Accept": "*/*"})
    assert (answer.status_code, answer.json()["choices"]) == (300, targets)
    assert answer.headers["link"].count('rel="alternate"') == 2
    page = (await client.get("/doc/commune/99802", headers=HTML)).text
    assert all(f'href="{each}"' in page for each in targets)


@pytest.mark.parametrize("path", ["/doc/commune/99002", "/doc/departement/99801", "/doc/commune/0"])
async def test_a_living_code_is_its_own_and_another_kind_s_is_nobody_s(
    client: httpx.AsyncClient, path: str
) -> None:
    expected = 200 if path.endswith("99002") else 404
    assert (await client.get(path, headers=HTML)).status_code == expected


async def test_the_real_codes_lead_on(demo_client: httpx.AsyncClient) -> None:
    for space in ("id", "doc"):
        answer = await demo_client.get(f"/{space}/commune/68048")  # Bourtzwiller, in Mulhouse
        assert (answer.status_code, answer.headers["location"]) == (301, f"/{space}/commune/68224")


@pytest.mark.parametrize("key", SLASHED)
async def test_a_key_that_is_no_slug_answers_in_every_form(
    client: httpx.AsyncClient, key: str
) -> None:
    sent = await client.get(f"/id/methode/{key}?lang=en")
    assert sent.status_code == 303
    assert sent.headers["location"] == f"/doc/methode/{key}?lang=en"
    page = await client.get(sent.headers["location"], headers=HTML)
    assert page.status_code == 200
    assert f'href="/doc/methode/{unquote(key)}/historique' in page.text
    assert f"</doc/methode/{key}.ttl>" in page.headers["link"]
    for form in formats.GRAPH_FORMATS:
        for path, headers in ((f"{key}.{form.suffix}", {}), (key, {"Accept": form.media_type})):
            answer = await client.get(f"/doc/methode/{path}", headers=headers)
            assert answer.status_code == 200, path
            assert answer.headers["content-type"].startswith(form.media_type)
    assert (await client.get(f"/doc/methode/{key}.csv")).status_code == 200
    assert (await client.get(f"/doc/methode/{key}/historique", headers=HTML)).status_code == 200
    assert (await client.get(f"/doc/methode/{key}/rien.csv")).status_code == 404
    assert (await client.get(f"/id/methode/{key}/")).status_code == 307


async def test_a_page_of_many_segments_is_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/doc/commune/68224/" + "a/" * 500 + "b")
    assert answer.status_code == 404
