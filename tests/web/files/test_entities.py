"""An entity as files for other tools: its facts as a table, its place, an organisation's card."""

import csv
import io
import re
from collections.abc import Callable
from html import unescape

import httpx
import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode, Store

from thc_graph.instance.service import Service

pytestmark = pytest.mark.anyio

BASE = "https://data.thc.example"
COMMITMENT = "engagement/exemple-villeneuve-2024-2027-t4"
ORGANISATION = "organisation/democratie-ouverte"
PERSON = "personne/laurence-monnoyer"
TOWN = "commune/68224"
ELSEWHERE = "experience/plan-d-action-municipal-de-barcelone-sur-decidim"  # placed by its town
HOSTILE = """
@prefix thc: <https://w3id.org/thc/ns#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
<https://data.thc.example/id/organisation/x> a thc:Organisation ;
  rdfs:label "=1+1;2,3\\\\ \\r\\nEMAIL:hit@example.org \\u2028 et é é é é é é é é é"@fr ;
  foaf:homepage <javascript:hit()> ;
  foaf:mbox <mailto:contact@example.org> .
"""


def rows(content: str) -> list[list[str]]:
    assert content.startswith("\ufeff")
    return list(csv.reader(io.StringIO(content.removeprefix("\ufeff"))))


@pytest.mark.parametrize("path", [COMMITMENT, ORGANISATION, PERSON, TOWN])
async def test_the_table_holds_every_fact_with_its_source(
    demo_client: httpx.AsyncClient, demo_store: Store, path: str
) -> None:
    answer = await demo_client.get(f"/doc/{path}.csv")
    heading, *told = rows(answer.text)
    assert heading[0] == "Propriété"
    found = {(row[1], row[3] or row[2], row[4]) for row in told}
    facts = set()
    for quad in demo_store.quads_for_pattern(
        NamedNode(f"{BASE}/id/{path}"), None, None, DefaultGraph()
    ):
        value = quad.object
        assert isinstance(value, NamedNode | Literal)
        kind = "IRI" if isinstance(value, NamedNode) else value.language or "type"
        facts.add((quad.predicate.value, value.value, kind))
    assert {
        (p, v, kind if kind in ("IRI", "fr", "en") else "type") for p, v, kind in found
    } == facts
    assert len(told) == len(facts)
    assert all(row[5] for row in told)
    assert {row[6] for row in told} > {""} or path != COMMITMENT  # some are worked out here


@pytest.mark.parametrize(
    ("path", "accept", "status", "media_type"),
    [
        (f"{TOWN}.geojson", "*/*", 200, "application/geo+json"),
        (TOWN, "application/geo+json", 200, "application/geo+json"),
        (COMMITMENT, "application/geo+json, text/csv;q=0.5", 200, "text/csv; charset=utf-8"),
        (f"{ELSEWHERE}.geojson", "*/*", 200, "application/geo+json"),
        (TOWN, "text/csv", 200, "text/csv; charset=utf-8"),
        (TOWN, "text/*", 200, "text/html; charset=utf-8"),
        (ORGANISATION, "text/vcard", 200, "text/vcard; charset=utf-8"),
        ("collectivite/216802249.vcf", "*/*", 200, "text/vcard; charset=utf-8"),
        (f"{PERSON}.vcf", "*/*", 404, "application/problem+json"),
        (f"{PERSON}.geojson", "*/*", 404, "application/problem+json"),
        (PERSON, "text/vcard", 406, "application/problem+json"),
        (PERSON, "text/vcard, text/turtle;q=0.1", 200, "text/turtle; charset=utf-8"),
        ("personne/nulle-part", "text/vcard", 404, "application/problem+json"),
    ],
)
async def test_a_file_is_had_by_its_suffix_or_its_type(
    demo_client: httpx.AsyncClient, path: str, accept: str, status: int, media_type: str
) -> None:
    answer = await demo_client.get(f"/doc/{path}", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (status, media_type)
    if status == 406:
        assert "text/csv" in answer.json()["offered"]
        assert "text/vcard" not in answer.json()["offered"]


@pytest.mark.parametrize("path", [COMMITMENT, ORGANISATION, PERSON, TOWN])
async def test_a_page_offers_the_files_that_it_has(
    demo_client: httpx.AsyncClient, path: str
) -> None:
    page = await demo_client.get(f"/doc/{path}", headers={"Accept": "text/html"})
    pattern = rf'</doc/{path}\.(\w+)>; rel="alternate"; type="([^"]+)"'
    linked = dict(re.findall(pattern, page.headers["link"]))
    shown = dict(re.findall(rf'<a href="/doc/{path}\.(\w+)" type="([^"]+)">', page.text))
    assert shown.items() <= linked.items()
    files = {"csv", "geojson", "vcf"}
    assert files & shown.keys() == files & linked.keys()
    for suffix in files:
        answer = await demo_client.get(f"/doc/{path}.{suffix}")
        assert (answer.status_code == 200) == (suffix in linked)
    assert "csv" in linked


async def test_a_place_is_that_of_the_list(demo_client: httpx.AsyncClient) -> None:
    feature = (await demo_client.get(f"/doc/{TOWN}.geojson")).json()
    listed = (await demo_client.get("/commune.geojson?q=mulhouse")).json()["features"]
    assert feature in listed


async def test_a_card_names_the_organisation(demo_client: httpx.AsyncClient) -> None:
    answer = await demo_client.get(f"/doc/{ORGANISATION}.vcf")
    lines = answer.text.split("\r\n")
    assert lines[:2] == ["BEGIN:VCARD", "VERSION:4.0"]
    assert {"KIND:org", "FN:Démocratie Ouverte", f"UID:{BASE}/id/{ORGANISATION}"} <= {*lines}
    assert answer.headers["content-disposition"].endswith('"democratie-ouverte.vcf"')


async def test_data_that_attack_stay_data(
    service: Service, publish: Callable[..., None], client: httpx.AsyncClient
) -> None:
    publish("bad", HOSTILE)
    await service.refresh()
    card = await client.get("/doc/organisation/x.vcf")
    assert all(len(line.encode()) <= 75 for line in card.text.split("\r\n"))
    lines = card.text.replace("\r\n ", "").split("\r\n")
    assert [line for line in lines if line.startswith(("EMAIL", "URL"))] == [
        "EMAIL:contact@example.org"
    ]
    (name,) = (line for line in lines if line.startswith("FN:"))
    assert name.startswith("FN:=1+1\\;2\\,3\\\\ \\nEMAIL:hit@example.org")
    assert name.count("é") == 9
    table = await client.get("/doc/organisation/x.csv")
    assert any(row[2].startswith("'=1+1;2,3") for row in rows(table.text))
    assert not any(cell.startswith("=") for row in rows(table.text) for cell in row)


@pytest.mark.parametrize("path", [COMMITMENT, TOWN, "region/44"])
async def test_a_page_tells_when_the_entity_last_changed(
    demo_client: httpx.AsyncClient, path: str
) -> None:
    html = {"Accept": "text/html"}
    page = unescape((await demo_client.get(f"/doc/{path}", headers=html)).text)
    history = await demo_client.get(f"/doc/{path}/historique", headers=html)
    last = re.search(r'<time datetime="([^"]+)">([^<]+)<', history.text)
    assert last
    assert f'la dernière le <time datetime="{last[1]}">{last[2]}</time>' in page
