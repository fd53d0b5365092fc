"""Lists over HTTP: the address is the state, and the files hold the list that is shown."""

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import Awaitable
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

import httpx
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import DefaultGraph, RdfFormat, Store, parse
from python_calamine import CalamineWorkbook

from thc_graph.rdf.terms import DCT
from thc_graph.sheets.tables.escaping import guarded
from thc_graph.sheets.tables.writing import to_csv, to_ods, to_xlsx
from thc_graph.web.files import lists

pytestmark = pytest.mark.anyio

NARROWED = "resultat=reussite&territoire=region%2F53"
SUFFIXES = ("csv", "xlsx", "ods", "jsonld", "ttl", "geojson", "atom", "rq")
FORMULAS = ["=1+1", "+1;cmd", "-2+3", "@SUM(A1)", "\t=1", "＝1+1"]
ATOM = "{http://www.w3.org/2005/Atom}"


async def test_every_file_holds_the_same_entities(demo_client: httpx.AsyncClient) -> None:
    found = {}
    for suffix in SUFFIXES[:-1]:
        answer = await demo_client.get(f"/experience.{suffix}?{NARROWED}")
        assert answer.status_code == 200, suffix
        found[suffix] = entities(suffix, answer.content)
    assert found["csv"]
    assert all(each == found["csv"] for each in found.values()), found


def entities(suffix: str, content: bytes) -> set[str]:
    if suffix == "csv":
        return {row[0] for row in list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[1:]}
    if suffix in ("xlsx", "ods"):
        rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
        return {str(row[0]) for row in rows.to_python()[1:]}
    if suffix == "geojson":
        return {each["id"] for each in json.loads(content)["features"]}
    if suffix == "atom":
        entries = ET.fromstring(content).iter(f"{ATOM}entry")  # noqa: S314 - it is ours
        return {entry.findtext(f"{ATOM}id") or "" for entry in entries}
    syntax = {"jsonld": RdfFormat.JSON_LD, "ttl": RdfFormat.TURTLE}[suffix]
    return {quad.subject.value for quad in parse(content, format=syntax)}


@pytest.mark.parametrize("suffix", SUFFIXES)
async def test_the_manners_of_a_file(demo_client: httpx.AsyncClient, suffix: str) -> None:
    path = f"/experience.{suffix}?{NARROWED}"
    answer = await demo_client.get(path)
    head = await demo_client.head(path)
    again = await demo_client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    by_parameter = await demo_client.get(f"/experience?{NARROWED}&format={suffix}")
    media_type = answer.headers["content-type"].partition(";")[0]
    by_accept = await demo_client.get(f"/experience?{NARROWED}", headers={"Accept": media_type})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == answer.headers["etag"]
    assert (again.status_code, again.content) == (304, b"")
    assert by_parameter.headers["content-type"] == answer.headers["content-type"]
    assert by_accept.headers["content-type"] == answer.headers["content-type"]
    assert f'filename="experience.{suffix}"' in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    "asked",
    [
        "commune",
        "commune?q=saint",
        "commune?q=a+e+i+o+s+r+t+u",
        "commune?departement=departement/68&q=mulh",
        "commune?region=region/44",
        "experience?resultat=reussite&debut=2016",
    ],
)
async def test_a_visitor_may_ask_the_query_of_a_page(
    demo_client: httpx.AsyncClient, asked: str
) -> None:
    kind, _, narrowed = asked.partition("?")
    query = (await demo_client.get(f"/{kind}.rq?{narrowed}")).text
    headers = {"Accept": "text/csv"}
    answer = await demo_client.post("/sparql", data={"query": query}, headers=headers)
    assert answer.status_code == 200, answer.text
    table = (await demo_client.get(f"/{kind}.csv?{narrowed}")).content
    assert set(answer.text.split()[1:]) == entities("csv", table)


async def test_an_entry_is_dated_by_what_it_tells_of(
    demo_client: httpx.AsyncClient, demo_store: Store
) -> None:
    content = (await demo_client.get("/fiche.atom")).content
    feed = ET.fromstring(content)  # noqa: S314 - it is ours
    dated = {
        entry.findtext(f"{ATOM}id") or "": entry.findtext(f"{ATOM}updated") or ""
        for entry in feed.iter(f"{ATOM}entry")
    }
    facts = demo_store.quads_for_pattern(None, DCT["modified"], None, DefaultGraph())
    known = {fact.subject.value: fact.object.value for fact in facts}
    assert dated
    assert {iri: dated[iri][:10] for iri in dated if iri in known} == {
        iri: known[iri][:10] for iri in dated if iri in known
    }
    published = feed.findtext(f"{ATOM}updated") or ""
    assert all(datetime.fromisoformat(each).tzinfo for each in (*dated.values(), published))


async def test_the_manners_of_all_files_by_name(demo_client: httpx.AsyncClient) -> None:
    answer = await demo_client.get("/experience", headers={"Accept": "text/html"})
    links = answer.headers["link"]
    assert [each for each in SUFFIXES if f"</experience.{each}>" not in links] == []
    assert {form.suffix for form in lists.of(1_000_000)} == set()
    assert "ods" in {form.suffix for form in lists.of(10_000)}
    assert "ods" not in {form.suffix for form in lists.of(10_001)}


async def test_a_search_keeps_nobody_waiting(demo_client: httpx.AsyncClient) -> None:
    """Others are answered while the longest questions are looked up."""
    words = "collectivte departemnt comunautee saaint martinn chateaux villeneve montaigne"
    asked = [demo_client.get("/recherche.json", params={"q": f"{words} {n}"}) for n in range(20)]
    order: list[str] = []

    async def note(name: str, answer: Awaitable[httpx.Response]) -> None:
        assert (await answer).status_code == 200
        order.append(name)

    searches = [note("search", each) for each in asked]
    await asyncio.gather(*searches, note("health", demo_client.get("/healthz")))
    assert order.index("health") < len(asked)


async def test_a_page_says_its_state_and_its_neighbours(demo_client: httpx.AsyncClient) -> None:
    answer = await demo_client.get("/departement?page=2", headers={"Accept": "text/html"})
    assert '</departement>; rel="prev"' in answer.headers["link"]
    assert '</departement?page=3>; rel="next"' in answer.headers["link"]
    assert '<link rel="next" href="/departement?page=3">' in answer.text
    assert "Accept" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("method", "path", "accept", "status"),
    [
        ("GET", "/departement?page=6", "*/*", 404),
        ("GET", "/nulle-part", "*/*", 404),
        ("GET", "/departement.zip", "*/*", 404),
        ("GET", "/departement?vue=nuage", "*/*", 404),
        ("GET", "/departement", "image/png", 406),
        ("POST", "/departement", "*/*", 405),
    ],
)
async def test_what_is_refused(
    demo_client: httpx.AsyncClient, method: str, path: str, accept: str, status: int
) -> None:
    answer = await demo_client.request(method, path, headers={"Accept": accept})
    assert answer.status_code == status


@pytest.mark.parametrize("view", ["liste", "tableau", "carte"])
async def test_a_narrowed_list_has_chips_and_counts(
    demo_client: httpx.AsyncClient, view: str
) -> None:
    path = f"/experience?{NARROWED}&q=donnees&vue={view}"
    text = (await demo_client.get(path, headers={"Accept": "text/html"})).text
    assert "<strong>1</strong> sur 14" in text
    assert 'value="reussite" checked' in text
    assert f"/experience?territoire=region%2F53&amp;q=donnees&amp;vue={view}" in text
    assert "/experience.csv?resultat=reussite" in text
    assert text.count('<figure class="carte">') == (view == "carte")
    assert 'class="statut statut-fait"' in text  # a result is an icon and a word


async def test_what_is_typed_is_shown_as_text(demo_client: httpx.AsyncClient) -> None:
    attack = '"><script>alert(1)</script>'
    answer = await demo_client.get("/experience", params={"q": attack, "resultat": attack})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("number", ["9" * 9, "9" * 18, "9" * 5000, "-1", "x"])
async def test_a_page_that_is_not_there_costs_nothing(
    demo_client: httpx.AsyncClient, number: str
) -> None:
    answer = await demo_client.get("/commune", params={"page": number})
    assert answer.status_code in (200, 404)


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula(formula: str) -> None:
    assert guarded(formula) == f"'{formula}"
    rows = [(formula, 12.5)]
    assert f"'{formula}" in to_csv(["a", "b"], rows).decode("utf-8-sig")
    sheet = openpyxl.load_workbook(io.BytesIO(to_xlsx(["a", "b"], rows))).worksheets[0]
    assert [cell.data_type for cell in sheet[2]] == ["s", "n"]
    with zipfile.ZipFile(io.BytesIO(to_ods(["a", "b"], rows))) as archive:
        assert b"formula" not in archive.read("content.xml")


@pytest.mark.parametrize("text", ["-12", "12,5", "-0.5", "Mulhouse", "", "a=b"])
def test_honest_cells_are_left_alone(text: str) -> None:
    assert guarded(text) == text


TOKENS = st.sampled_from(["region/11", "reussite", "2024", "theme", ""]) | st.text(max_size=8)
NARROWING = st.tuples(
    st.sampled_from(["type", "region", "territoire", "resultat", "debut", "q", "vue", "x", "lang"]),
    TOKENS | st.sampled_from(["liste", "tableau", "en"]),
)
MANY = st.lists(st.integers(0, 999), min_size=45, max_size=80, unique=True)


@given(
    kind=st.sampled_from(["departement", "experience", "evenement", "region"]),
    pairs=st.lists(NARROWING, max_size=5),
    many=st.just([]) | MANY,
    place=st.integers(0, 80),
)
@settings(max_examples=60)
async def test_what_comes_next_ends(
    demo_client: httpx.AsyncClient,
    kind: str,
    pairs: list[tuple[str, str]],
    many: list[int],
    place: int,
) -> None:
    """Whatever an address asks for, each page leads to the one after it, and the last to none."""
    narrowing = [("region", f"region/{number}") for number in many]
    asks = [*narrowing[:place], *pairs, *narrowing[place:]]
    answer = await demo_client.get(f"/{kind}", params=asks, headers={"Accept": "text/html"})
    number, listed = 1, set[str]()
    while "next" in answer.links:
        number += 1
        target = answer.links["next"]["url"]
        assert dict(parse_qsl(urlsplit(target).query))["page"] == str(number)
        assert target not in listed
        listed.add(target)
        answer = await demo_client.get(target, headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert "prev" in answer.links
