"""Entity pages over HTTP: what each class tells, whom it comes from, and the manners of the web."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from html import unescape
from typing import Any

import httpx
import pytest
from pyoxigraph import NamedNode

from thc_graph.entities import sections
from thc_graph.entities.describing import citations, facts
from thc_graph.instance.service import open_service
from thc_graph.instance.settings import read_settings
from thc_graph.rdf.terms import A
from thc_graph.store.writes.repository import Repository
from thc_graph.web.app import create_app
from visiting import visiting

pytestmark = pytest.mark.anyio

PLAN = "exemple-villeneuve-2024-2027"
COMMITMENT = f"/doc/engagement/{PLAN}-t4"  # due on 30 June 2026, under way
TERRITORY = "/doc/territoire/exemple-villeneuve"
HTML = {"Accept": "text/html"}


async def text_of(client: httpx.AsyncClient, path: str) -> str:
    response = await client.get(path, headers=HTML)
    assert response.status_code == 200, response.text
    return unescape(response.text).replace("\u202f", " ")


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


@asynccontextmanager
async def on(demo: Repository, day: date) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the demonstration on a day."""
    app = create_app(open_service(read_settings(demo.root)), lambda: day)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


TOLD = [
    (COMMITMENT, ["Où en est-on ?", "d’avancement déclaré", "Déclaré par", "Prendre part"]),
    (TERRITORY, ["Adhésion et portage politique", "Acteurs, par rôle", "Agenda du territoire"]),
    ("/doc/commune/68224", ["Premier territoire à rejoindre le programme", "Fiche à compléter"]),
    (f"/doc/plan/{PLAN}", ["Où en sont les engagements", "Les engagements du plan"]),
    ("/doc/methode/budget-participatif", ["Ce que cela a donné", "Expériences qui l’ont employé"]),
    ("/doc/gap/exemple-jardin-des-tilleuls", ["Ce à quoi le groupe travaille", "Rejoindre"]),
    ("/doc/serie/bonnes-pratiques", ["Les rendez-vous de la série"]),
    ("/doc/organisation/democratie-ouverte", ["Ce que cet acteur porte"]),
    ("/doc/personne/laurence-monnoyer", ["Rôles publics", "non datée (ligne 320)"]),
    ("/doc/programme/thc", ["Ses volets", "Les territoires qui l’ont rejoint"]),
    ("/doc/convention/territoire-exemple-villeneuve-2024-01", ["Contributions financières"]),
    ("/doc/adhesion/216802249-programme", ["Fiche à compléter", "Date d’adhésion"]),
    ("/voc/democratie-ouverte/transparence", ["Sa place parmi les autres"]),
    ("/voc/ns/Engagement", ["Règles", "Obligatoire", "14 dans les données publiées"]),
    ("/voc/ns/porteur", ["Emplois", "Règles"]),
    ("/voc/ns", ["Les classes en un coup d’œil", "Les propriétés"]),
    ("/", ["Où en sont les engagements", "Dernières mises à jour"]),
]


@pytest.mark.parametrize(("path", "told"), TOLD, ids=[path for path, _ in TOLD])
async def test_a_page_tells_what_its_class_is_for(
    demo_client: httpx.AsyncClient, path: str, told: list[str]
) -> None:
    text = words(await text_of(demo_client, path))
    assert [each for each in told if each not in text] == []


async def test_a_due_date_passes_at_midnight_in_paris(demo: Repository) -> None:
    said, tags = {}, {}
    for day in (date(2026, 6, 30), date(2026, 7, 1)):
        async with on(demo, day) as client:
            said[day] = words(await text_of(client, COMMITMENT))
            answer = await client.get(COMMITMENT, headers=HTML)
            tags[day] = answer.headers["etag"]
            again = {**HTML, "If-None-Match": answer.headers["etag"]}
            assert (await client.get(COMMITMENT, headers=again)).status_code == 304
            turtle = await client.get(f"{COMMITMENT}.ttl")
            tags[day.toordinal()] = turtle.headers["etag"]
    before, after = date(2026, 6, 30), date(2026, 7, 1)
    assert "Échéance dépassée" not in said[before]
    assert "Échéance dépassée depuis le 30 juin 2026" in said[after]
    assert tags[before] != tags[after]
    assert tags[before.toordinal()] == tags[after.toordinal()]  # facts do not depend on the day


CITED = [TERRITORY, "/doc/region/44", "/doc/departement/68", f"/doc/plan/{PLAN}"]


@pytest.mark.parametrize("path", CITED)
async def test_each_count_leads_to_as_many(demo_client: httpx.AsyncClient, path: str) -> None:
    text = await text_of(demo_client, path)
    counted = re.findall(r'<a class="compte" href="([^"]+)">([\d ]+)<', text)
    assert counted
    for target, count in counted:
        listed = words(await text_of(demo_client, target))
        number = int(count.replace(" ", ""))
        assert re.search(rf"\b{number:,}\b".replace(",", " "), listed), (target, number)


async def test_a_section_is_taken_away_as_a_file(demo_client: httpx.AsyncClient) -> None:
    path = f"/doc/plan/{PLAN}/plan-engagements"
    answer = await demo_client.get(f"{path}.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert (len(rows), answer.headers["content-type"]) == (14, "text/csv; charset=utf-8")
    query = (await demo_client.get(f"{path}.rq")).text
    found = await demo_client.post("/sparql", data={"query": query}, headers={"Accept": "text/csv"})
    assert len(found.text.strip().splitlines()) == 15
    assert (await demo_client.get(f"{path}.xlsx")).content[:2] == b"PK"
    for absent in ("nope.csv", "plan-engagements.exe", "territoire-gap.csv"):
        assert (await demo_client.get(f"/doc/plan/{PLAN}/{absent}")).status_code == 404


async def test_the_file_of_a_section_is_kept_as_pages_are(demo: Repository) -> None:
    service = open_service(read_settings(demo.root))
    async with visiting(service) as client:
        path = f"/doc/plan/{PLAN}/plan-engagements.xlsx"
        made = [(await client.get(path)).content for _ in range(2)]
        assert made[0] == made[1]
        assert (service.published.pages.misses, service.published.pages.hits) == (1, 1)
        assert (await client.get(f"{path}?lang=en")).content != made[0]


async def test_no_section_is_passed_over_that_has_something_to_tell(demo: Repository) -> None:
    """A section is not asked where `#+ through` says that nothing can be found."""
    service = open_service(read_settings(demo.root))
    day, seen = date(2026, 7, 14), set()
    async with visiting(service):
        reading = service.published
        names = [each.rpartition("/")[2] for each in service.library.names(sections.FOLDER)]
        for kind in service.schema.by_kind:
            _, iris = reading.index.select(reading.index.listed(kind, (), {}), "order_fr", 0, 5)
            for iri in map(NamedNode, iris):
                told, cited = await facts(reading, iri), await citations(reading, iri)
                shown = await sections.sections(reading, iri, told, cited, "fr", day)
                classes = [t.object for t in told if (t.subject, t.predicate) == (iri, A)]
                every = [
                    await sections.section(reading, iri, classes, name, day, "fr") for name in names
                ]
                assert {each.id for each in shown} == {each.id for each in every if each}, iri
                seen |= {each.id for each in shown}
    assert len(seen) > len(names) / 2


async def test_each_fact_has_its_source_on_demand(demo_client: httpx.AsyncClient) -> None:
    plain = words(await text_of(demo_client, COMMITMENT))
    asked = words(await text_of(demo_client, f"{COMMITMENT}?source=1"))
    assert "engagements.csv, ligne" not in plain
    assert "engagements.csv, ligne" in asked
    assert "Calculé par ce service" in asked


async def test_the_history_tells_what_each_version_changed(demo_client: httpx.AsyncClient) -> None:
    text = words(await text_of(demo_client, f"{COMMITMENT}/historique"))
    assert "Fiche créée" in text
    assert "30/06/2026" in text


def block(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    assert found
    told: dict[str, Any] = json.loads(found[1])
    return told


async def test_a_page_says_what_it_is_about_in_the_words_of_schema_org(
    demo_client: httpx.AsyncClient,
) -> None:
    answer = await demo_client.get("/doc/commune/68224", headers=HTML)
    told = block(answer.text)
    assert told["@type"] == ["AdministrativeArea"]
    assert (told["name"], told["@id"]) == ("Mulhouse", "https://data.thc.example/id/commune/68224")
    assert '<meta property="og:title" content="Mulhouse">' in answer.text


async def test_names_of_the_data_are_typeset_on_pages_alone(demo_client: httpx.AsyncClient) -> None:
    text = (await demo_client.get(TERRITORY, headers=HTML)).text
    assert re.search(r"<h1[^>]*>Villeneuve-l’Exemple</h1>", text)
    assert "<title>Villeneuve-l’Exemple –" in text
    assert block(text)["name"] == "Villeneuve-l'Exemple"
    for suffix in ("ttl", "csv"):
        assert "Villeneuve-l'Exemple" in (await demo_client.get(f"{TERRITORY}.{suffix}")).text


READING = {"GET", "HEAD", "OPTIONS"}
MANNERS = [COMMITMENT, f"{COMMITMENT}/historique", "/voc/ns/Engagement", "/voc/ns", "/"]


@pytest.mark.parametrize("path", MANNERS)
async def test_a_page_has_the_manners_of_the_web(demo_client: httpx.AsyncClient, path: str) -> None:
    got = await demo_client.get(path, headers=HTML)
    head = await demo_client.head(path, headers=HTML)
    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, "x-request-id": ""} == {**got.headers, "x-request-id": ""}
    again = await demo_client.get(path, headers={**HTML, "If-None-Match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    english = await demo_client.get(f"{path}?lang=en", headers=HTML)
    assert english.headers["etag"] != got.headers["etag"]
    refused = await demo_client.post(path)
    assert (refused.status_code, set(refused.headers["allow"].split(", "))) == (405, READING)
    unknown = await demo_client.get(path, headers={"Accept": "image/png"})
    assert unknown.status_code == 406
    assert "text/html" in unknown.json()["offered"]


@pytest.mark.parametrize("accept", ["text/turtle", "application/ld+json", "text/html"])
async def test_what_is_not_there_is_said_in_the_format_asked_for(
    demo_client: httpx.AsyncClient, accept: str
) -> None:
    answer = await demo_client.get("/doc/engagement/nulle-part", headers={"Accept": accept})
    assert answer.status_code == 404
    is_page = answer.headers["content-type"].startswith("text/html")
    assert is_page == (accept == "text/html")
