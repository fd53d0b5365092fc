"""The dashboard over HTTP: its figures, its files, its charts, and what it is on another day."""

import csv
import io
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from html import unescape
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from icalendar import Calendar
from pyoxigraph import RdfFormat, parse
from python_calamine import CalamineWorkbook

from thc_graph.figures import dashboard
from thc_graph.instance.service import open_service
from thc_graph.instance.settings import read_settings
from thc_graph.store.writes.repository import Repository
from thc_graph.web.app import create_app

pytestmark = pytest.mark.anyio

PATH = "/tableau-de-bord"
TOWN = "territoire=territoire%2Fexemple-villeneuve"
ATOM = "{http://www.w3.org/2005/Atom}"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def calendar() -> list[date]:
    return [date(2026, 11, 23)]


@pytest.fixture(scope="module")
async def client(demo: Repository, calendar: list[date]) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the demonstration instance on a day that tests choose."""
    app = create_app(open_service(read_settings(demo.root)), today=lambda: calendar[0])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


async def page(client: httpx.AsyncClient, query: str = "") -> httpx.Response:
    return await client.get(f"{PATH}?lang=fr&{query}", headers={"Accept": "text/html"})


async def test_each_figure_has_an_author_and_a_date(client: httpx.AsyncClient) -> None:
    text = (await page(client)).text
    shown = re.findall(r'class="nombre">(\d+)&nbsp;%</td>\s*<td [^>]*>(.*?)</td>', text)
    assert len(shown) == 14 - text.count("non déclarée")
    assert all("Villeneuve" in by and "<time" in by and "source" in by for _, by in shown)
    assert "En retard" not in text
    assert "avis du tiers" not in text.casefold()


async def test_a_long_board_is_told_in_pages(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each commitment stands on one page; counts and files are of them all."""
    monkeypatch.setattr(dashboard, "SIZE", 6)
    monkeypatch.setattr(dashboard, "SHOWN", 1)
    texts = [(await page(client, f"n=pages&page={number}")).text for number in (1, 2, 3)]
    tables = [re.search(r'class="suivis">.*?</table>', each, re.DOTALL) for each in texts]
    named = [re.findall(r'<th scope="row"><a href="([^"?]+)', each[0]) for each in tables if each]
    assert [len(each) for each in named] == [6, 6, 2]
    assert len({path for each in named for path in each}) == 14
    assert all("<strong>14 engagements" in each for each in texts)
    ways = [re.findall(r'href="([^"]+)#engagements" rel="(\w+)"', each) for each in texts]
    assert [[rel for _, rel in each] for each in ways] == [["next"], ["prev", "next"], ["prev"]]
    more = re.search(r'<p class="aide"><a href="([^"#]*echeance=depassee[^"#]*)#', texts[0])
    assert more, "a watch list that is cut leads to the rest of it"
    assert (await client.get(f"{PATH}?n=pages&page=4")).status_code == 404


async def test_deadlines_are_reckoned_on_the_day(
    client: httpx.AsyncClient, calendar: list[date]
) -> None:
    today = await page(client)
    calendar[0] = date(2026, 11, 24)
    tomorrow = await page(client)
    calendar[0] = date(2028, 1, 1)
    later = await page(client)
    calendar[0] = date(2026, 11, 23)
    again = await client.get(
        f"{PATH}?lang=fr&", headers={"Accept": "text/html", "If-None-Match": today.headers["etag"]}
    )
    assert len({each.headers["etag"] for each in (today, tomorrow, later)}) == 3
    assert again.status_code == 304
    passed = [each.text.count("Échéance dépassée depuis") for each in (today, tomorrow, later)]
    assert passed[0] == passed[1] < passed[2]


@pytest.mark.parametrize("query", ["", TOWN, "statutCourant=en-cours", "echeance=depassee"])
async def test_every_file_holds_the_commitments_of_the_page(
    client: httpx.AsyncClient, query: str
) -> None:
    total = int(re.search(r"<strong>(\d+) engagement", (await page(client, query)).text)[1])  # type: ignore[index]
    content = {
        suffix: (await client.get(f"{PATH}.{suffix}?{query}")).content
        for suffix in ("csv", "xlsx", "ics", "ttl", "jsonld", "atom")
    }
    rows = list(csv.reader(io.StringIO(content["csv"].decode("utf-8-sig"))))[1:]
    book = CalamineWorkbook.from_filelike(io.BytesIO(content["xlsx"])).get_sheet_by_index(0)
    assert len(rows) == len(book.to_python()) - 1 == total
    events = Calendar.from_ical(content["ics"]).walk("VEVENT")
    assert len(events) == total  # each of the demonstration has a deadline
    assert {str(each["uid"]).partition("#")[0] for each in events} == {row[0] for row in rows}
    for suffix, syntax in (("ttl", RdfFormat.TURTLE), ("jsonld", RdfFormat.JSON_LD)):
        subjects = {quad.subject.value for quad in parse(content[suffix], format=syntax)}
        assert {row[0] for row in rows} == {each for each in subjects if "/engagement/" in each}
    feed = ET.fromstring(content["atom"])  # noqa: S314 - it is ours
    assert all(each.findtext(f"{ATOM}author/{ATOM}name") for each in feed.iter(f"{ATOM}entry"))


PREFIXES = """
PREFIX thc: <https://w3id.org/thc/ns#> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX dct: <http://purl.org/dc/terms/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX id: <https://data.thc.example/id/>
PREFIX statut: <https://w3id.org/thc/statut-engagement/>
PREFIX rubrique: <https://w3id.org/thc/democratie-ouverte/>
"""
VILLENEUVE = "<https://data.thc.example/id/territoire/exemple-villeneuve>"
SCOPES = {  # what an address narrows to, said here in SPARQL of its own
    "": "",
    TOWN: f"?e thc:territoire/thc:situeDans? {VILLENEUVE} .",
    "territoire=commune%2F68224": "?e thc:territoire/thc:situeDans? <http://nowhere.example/> .",
    "plan=plan%2Fexemple-villeneuve-2024-2027": (
        "?e thc:plan <https://data.thc.example/id/plan/exemple-villeneuve-2024-2027> ."
    ),
    "rubrique=transparence": "?e dct:subject/skos:broader* rubrique:transparence .",
    "statutCourant=en-cours": "?e thc:statutCourant statut:en-cours .",
    f"rubrique=participation&statutCourant=en-cours&{TOWN}": (
        "?e dct:subject/skos:broader* rubrique:participation ; thc:statutCourant statut:en-cours ."
    ),
}
LABELS = '?status skos:prefLabel ?label FILTER (LANG(?label) = "fr")'
PILLAR = """?e dct:subject/skos:broader* ?line . ?line skos:broader ?top .
  ?top skos:topConceptOf rubrique: ."""


async def asked(client: httpx.AsyncClient, query: str) -> list[list[str]]:
    answer = await client.post(
        "/sparql", data={"query": PREFIXES + query}, headers={"Accept": "text/csv"}
    )
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.text)))[1:]


async def counts(client: httpx.AsyncClient, scope: str, line: str) -> dict[str, dict[str, int]]:
    """Return how many commitments SPARQL finds, by line of a table and status."""
    rows = await asked(
        client,
        f"""SELECT ?line ?label (COUNT(DISTINCT ?e) AS ?n) WHERE {{
          ?e a thc:Engagement ; thc:statutCourant ?status . {LABELS} {scope} {line}
        }} GROUP BY ?line ?label""",
    )
    found: dict[str, dict[str, int]] = {}
    for name, label, count in rows:
        found.setdefault(name.rpartition("/")[2], {})[label] = int(count)
    return found


def told(text: str, caption: str, facet: str) -> dict[str, dict[str, int]]:
    """Return what a table of the page tells, by the value that each line leads to."""
    found = {}
    for table in re.findall(r'<table class="repartition">.*?</table>', text, re.DOTALL):
        if caption in table:
            for row in re.findall(r"<tr>.*?</tr>", table.partition("<tbody>")[2], re.DOTALL):
                token = re.search(
                    rf"{facet}=(?:[\w-]+%2F)?([\w-]+)[&\"]", row[: row.index("</th>")]
                )
                said = re.search(r'class="dits">([^<]*)<', row)
                assert token
                pairs = re.findall(r"([^:,]+?)\s*:\s*(\d+)", said[1] if said else "")
                found[token[1]] = {label.strip(): int(count) for label, count in pairs}
    return {name: shares for name, shares in found.items() if shares}


@pytest.mark.parametrize("query", SCOPES)
async def test_each_figure_is_that_of_sparql(client: httpx.AsyncClient, query: str) -> None:
    scope, text = SCOPES[query], unescape((await page(client, query)).text)
    by_status = (await counts(client, scope, "")).get("", {})
    legend = re.findall(r'#engagements">(\d+)<span class="cache"> ([^<]+)<', text)
    assert {label: int(count) for count, label in legend} == by_status
    total = re.search(r"<strong>(\d+) engagement", text)
    assert (int(total[1]) if total else 0) == sum(by_status.values())
    if by_status:
        assert told(text, "Par pilier", "rubrique") == await counts(client, scope, PILLAR)
        by_place = await counts(client, scope, "?e thc:territoire ?line .")
        assert told(text, "Par territoire", "territoire") == by_place


def _cells(row: dict[str, Any]) -> tuple[str, str, float | None]:
    progress = str(row["Progression (%)"])
    return row["IRI"], row["Statut courant"], float(progress) if progress else None


@pytest.mark.parametrize("query", SCOPES)
async def test_each_export_is_what_sparql_finds(client: httpx.AsyncClient, query: str) -> None:
    rows = await asked(
        client,
        f"""SELECT DISTINCT ?e ?label ?progress WHERE {{
          ?e a thc:Engagement ; thc:statutCourant ?status . {LABELS} {SCOPES[query]}
          OPTIONAL {{ ?e thc:progressionCourante ?progress }}
        }}""",
    )
    found = Counter((iri, label, float(n) if n else None) for iri, label, n in rows)
    content = {
        s: (await client.get(f"{PATH}.{s}?lang=fr&{query}")).content for s in ("csv", "xlsx")
    }
    table = csv.DictReader(io.StringIO(content["csv"].decode("utf-8-sig")))
    assert Counter(map(_cells, table)) == found
    book = CalamineWorkbook.from_filelike(io.BytesIO(content["xlsx"])).get_sheet_by_index(0)
    heading, *lines = book.to_python()
    assert Counter(_cells(dict(zip(heading, line, strict=True))) for line in lines) == found  # type: ignore[arg-type]
    own = (await client.get(f"{PATH}.rq?{query}")).text
    by_query = await client.post("/sparql", data={"query": own}, headers={"Accept": "text/csv"})
    listed = csv.DictReader(io.StringIO(by_query.text))
    assert {row["engagement"] for row in listed} == {iri for iri, _, _ in found}


@pytest.mark.parametrize("name", ["statuts", "piliers", "territoires", "echeances"])
async def test_a_chart_stands_alone(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"{PATH}/{name}.svg?{TOWN}")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    drawing = ET.fromstring(answer.content)  # noqa: S314 - it is ours
    assert drawing.tag == f"{SVG}svg"
    assert all(each.get("fill") for each in drawing.iter(f"{SVG}rect"))


async def test_only_the_embedded_view_may_be_framed(client: httpx.AsyncClient) -> None:
    embedded, whole = await page(client, f"embed=1&{TOWN}"), await page(client)
    assert "frame-ancestors *" in embedded.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in whole.headers["content-security-policy"]
    assert "script-src 'self'" in embedded.headers["content-security-policy"]
    assert "<header" not in embedded.text
    assert f'/tableau-de-bord?{TOWN}&amp;lang=fr" target="_blank"' in embedded.text


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        (f"{PATH}?page=2", "text/html", 404),
        (f"{PATH}?depuis=hier&echeance=jamais&page=x", "text/html", 200),
        (f"{PATH}?territoire=commune%2F68224", "text/html", 200),
        (f"{PATH}.zip", "*/*", 404),
        (f"{PATH}/autre.svg", "*/*", 404),
        (PATH, "image/png", 406),
    ],
)
async def test_what_an_address_gives(
    client: httpx.AsyncClient, path: str, accept: str, status: int
) -> None:
    answer = await client.get(path, headers={"Accept": accept})
    assert answer.status_code == status


async def test_head_says_what_get_does(client: httpx.AsyncClient) -> None:
    answer, head = await page(client), await client.head(f"{PATH}?lang=fr&")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == answer.headers["etag"]
    assert f'<{PATH}.ics?lang=fr>; rel="alternate"; type="text/calendar"' in answer.headers["link"]
