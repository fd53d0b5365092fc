"""The gallery: every saved query answers on the demonstration instance, as a page and as data."""

import httpx
import pytest
from pyoxigraph import Literal, NamedNode, QuerySolutions, RdfFormat, Store, parse

from thc_graph.instance.settings import resources
from thc_graph.rdf.terms import RDF, SH
from thc_graph.schema.shapes import Text
from thc_graph.store.library import Library
from thc_graph.web.drawing.answers import Table, available
from thc_graph.web.http.problems import Problem
from thc_graph.web.rendering.templates import read_messages
from thc_graph.web.sparql.examples import PATH, SCHEMA, Example, Parameter, gallery, terms

LIBRARY = Library(resources().queries_folder)
GALLERY = gallery(LIBRARY)
HTML = {"Accept": "text/html", "Accept-Language": "fr"}
each_example = pytest.mark.parametrize("example", GALLERY, ids=[each.name for each in GALLERY])


def test_there_are_enough_for_every_task() -> None:
    tasks = {"suivre", "situer", "methodes", "acteurs", "reutiliser"}
    assert len(GALLERY) >= 15
    assert {each.task for each in GALLERY} == tasks


@each_example
def test_it_is_told_in_both_languages(example: Example) -> None:
    messages = read_messages()
    assert all(
        (example.title.in_(told) and example.query.summary.in_(told)) for told in ("fr", "en")
    )
    assert f"example.task.{example.task}" in messages
    assert all(f"example.user.{user}" in messages for user in example.users)
    assert all(each.label.fr and each.label.en for each in example.parameters)


@each_example
def test_it_answers_and_can_be_seen_as_it_says(demo_store: Store, example: Example) -> None:
    found = demo_store.query(example.text)
    if not isinstance(found, QuerySolutions):
        assert list(found)  # type: ignore[call-overload]
        return
    rows = [tuple(row) for row in found]
    assert rows
    table = Table(tuple(each.value for each in found.variables), rows)
    assert example.view in available(table)


@pytest.mark.parametrize(
    "name", sorted({p.options for each in GALLERY for p in each.parameters if p.options})
)
def test_there_is_something_to_choose(demo_store: Store, name: str) -> None:
    found = demo_store.query(LIBRARY.get(name).text)
    assert isinstance(found, QuerySolutions)
    assert all(isinstance(row["value"], NamedNode) for row in found)


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        ("text", "", []),
        ("text", " 68224 \n\n01004 ", [Literal("68224"), Literal("01004")]),
        ("text", '" } DROP ALL #', [Literal('" } DROP ALL #')]),
        ("iri", "https://example.org/x", [NamedNode("https://example.org/x")]),
        ("iri", "https://x/> } #", None),
        ("iri", "no iri", None),
        ("date", "hier", None),
        ("date", "2026-02-30", None),
        ("text", "x\n" * 101, None),
    ],
)
def test_what_is_written_becomes_terms(kind: str, written: str, expected: object) -> None:
    parameter = Parameter("x", Text("x", "x"), kind, "", "")
    if expected is None:
        with pytest.raises(Problem) as refused:
            terms(parameter, written)
        assert refused.value.status == 400
    else:
        assert terms(parameter, written) == expected


@pytest.mark.anyio
@each_example
async def test_each_has_its_page(client: httpx.AsyncClient, example: Example) -> None:
    page = await client.get(f"{PATH}/{example.name}", headers=HTML)
    assert page.status_code == 200
    assert f'<h1 class="titre">{example.title.fr}'.replace("'", "&#39;") in page.text
    assert "<style" not in page.text
    assert " style=" not in page.text
    for parameter in example.parameters:
        assert f'name="{parameter.name}"' in page.text


@pytest.mark.anyio
async def test_a_box_fills_the_query(client: httpx.AsyncClient) -> None:
    address = f"{PATH}/code-insee-vers-siren"
    page = await client.get(address, params={"code": "68224"}, headers=HTML)
    assert "VALUES ?code { &#34;68224&#34; }" in page.text
    assert "216802249" in page.text
    hostile = await client.get(address, params={"code": '68224" } <script>'}, headers=HTML)
    assert hostile.status_code == 200
    assert "<script>" not in hostile.text


@pytest.mark.anyio
async def test_a_fault_in_a_box_is_shown_beside_it(client: httpx.AsyncClient) -> None:
    address = f"{PATH}/engagements-en-retard"
    page = await client.get(address, params={"jour": "hier"}, headers=HTML)
    assert page.status_code == 400
    assert "«\u00a0jour\u00a0»" in page.text
    assert 'name="jour"' in page.text


@pytest.mark.anyio
async def test_the_gallery_is_data_too(client: httpx.AsyncClient) -> None:
    """As https://github.com/sib-swiss/sparql-examples describes an example."""
    response = await client.get(PATH, headers={"Accept": "text/turtle"})
    graph = {quad.triple for quad in parse(response.content, format=RdfFormat.TURTLE)}
    nodes = {t.subject for t in graph if t.object == SH["SPARQLExecutable"]}
    assert len(nodes) == len(GALLERY)
    for node in nodes:
        said = {t.predicate for t in graph if t.subject == node}
        assert {RDF["type"], SH["prefixes"], SCHEMA["keywords"], SCHEMA["target"]} <= said
        (text,) = [t.object for t in graph if t.subject == node and t.predicate in QUERIES]
        assert isinstance(text, Literal)
        asked = {"query": text.value}
        assert (await client.get("/sparql", params=asked)).status_code == 200


QUERIES = {SH["select"], SH["construct"], SH["ask"]}


@pytest.mark.anyio
async def test_an_example_as_its_file(client: httpx.AsyncClient) -> None:
    response = await client.get(f"{PATH}/agenda.rq")
    assert response.headers["content-type"] == "application/sparql-query"
    assert response.text == LIBRARY.get("example/agenda").text
    assert (await client.get(f"{PATH}/nothing", headers=HTML)).status_code == 404


@pytest.mark.anyio
async def test_the_gallery_by_reader(client: httpx.AsyncClient) -> None:
    every = (await client.get(PATH, headers=HTML)).text
    some = (await client.get(PATH, params={"user": "juriste"}, headers=HTML)).text
    assert every.count("<h3>") == len(GALLERY)
    assert 0 < some.count("<h3>") < len(GALLERY)
