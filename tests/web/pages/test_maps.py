"""The map over HTTP: its figures are those of its query, its squares what has no outline."""

import csv
import io
import json
from dataclasses import replace

import httpx
import pytest
from pyoxigraph import Literal, NamedNode

from thc_graph.figures.maps import Map, Place
from thc_graph.web.pages import maps

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kind", ["engagement", "experience", "evenement"])
async def test_figures_are_those_of_the_query(demo_client: httpx.AsyncClient, kind: str) -> None:
    table = await demo_client.get(f"/carte.csv?nature={kind}&lang=fr")
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))[1:]
    query = (await demo_client.get(f"/carte.rq?nature={kind}")).text
    headers = {"Accept": "application/sparql-results+json"}
    answer = await demo_client.get("/sparql", params={"query": query}, headers=headers)
    found = {
        row["departement"]["value"]: row["nombre"]["value"]
        for row in json.loads(answer.content)["results"]["bindings"]
    }
    assert {row[0]: row[3] for row in rows if row[3] != "0"} == found
    page = await demo_client.get(f"/carte?nature={kind}", headers={"Accept": "text/html"})
    assert all(f"({iri.rpartition('/')[2]})</th>" in page.text for iri in found)


async def test_points_are_those_of_the_list(demo_client: httpx.AsyncClient) -> None:
    answer = await demo_client.get("/carte.geojson?nature=experience&lang=fr")
    assert answer.headers["content-type"].startswith("application/geo+json")
    page = (await demo_client.get("/carte?nature=experience", headers={"Accept": "text/html"})).text
    features = answer.json()["features"]
    assert features
    for each in features:
        longitude, latitude = each["geometry"]["coordinates"]
        told = each["properties"]
        assert f'data-point="{latitude} {longitude}"' in page
        assert told["name"] in page
        csv_of = told["list"].replace("/experience?", "/experience.csv?")
        assert len((await demo_client.get(csv_of)).text.splitlines()) - 1 >= told["total"]
        assert len(told["things"]) == min(told["total"], 5)


async def test_a_map_asked_for_nothing_shows_what_is_placed(demo_client: httpx.AsyncClient) -> None:
    page = (await demo_client.get("/carte", headers={"Accept": "text/html"})).text
    assert "data-point" in page


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/carte", "text/html", 200),
        ("/carte?nature=rien", "text/html", 404),
        ("/carte.zip", "*/*", 404),
        ("/carte", "image/png", 406),
        ("/carte", "text/csv", 200),
        ("/carte", "application/geo+json", 200),
    ],
)
async def test_what_an_address_gives(
    demo_client: httpx.AsyncClient, path: str, accept: str, status: int
) -> None:
    assert (await demo_client.get(path, headers={"Accept": accept})).status_code == status


def test_every_departement_is_drawn_once() -> None:
    node = NamedNode("https://data.thc.example/id/departement/68")
    place = Place(node, "68", Literal("Haut-Rhin", language="fr"), 3)
    found = Map("engagement", 4, 0, (place, replace(place, code="974", count=1)))
    drawing = maps.drawing(found)
    squares = {square.place.code for square in drawing.squares}
    outlined = {place.code for place, _ in drawing.outlined}
    assert (squares | outlined, squares & outlined) == ({"68", "974"}, set())
    assert "974" in squares
    if maps.outlines():
        assert "CC BY 4.0" in drawing.credit
