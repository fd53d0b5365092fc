"""The time line and the scheme: the list says everything, the drawing says the same."""

import csv
import io
import re

import httpx
import pytest

from thc_graph.figures import timeline
from thc_graph.instance.service import open_service
from thc_graph.instance.settings import read_settings
from thc_graph.store.writes.repository import Repository

pytestmark = pytest.mark.anyio


async def page(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, path
    return answer.text


@pytest.mark.parametrize("kind", list(timeline.DATES))
async def test_a_moment_of_the_list_is_a_mark_of_the_drawing(
    demo_client: httpx.AsyncClient, kind: str
) -> None:
    text = await page(demo_client, f"/ligne-de-temps?nature={kind}&lang=fr")
    listed = re.findall(r'class="moment"><time datetime="([^"]+)"', text)
    assert listed == sorted(listed, reverse=True)
    assert len(listed) == text.count('class="point"')
    undated = re.search(r"Sans date connue\s: (\d+)", text)
    table = await demo_client.get(f"/{kind}.csv")
    told = len(listed) + (int(undated[1]) if undated else 0)
    assert told == len(list(csv.reader(io.StringIO(table.text)))) - 1


async def test_every_concept_is_in_the_figure_and_in_the_list(
    demo_client: httpx.AsyncClient,
) -> None:
    text = await page(demo_client, "/schema?lang=fr")
    figure, listed = text.split('id="arbre"')
    concepts = set(re.findall(r"/voc/democratie-ouverte/[\w-]+", listed))
    assert len(concepts) == 31
    assert set(re.findall(r"/voc/democratie-ouverte/[\w-]+", figure)) == concepts


async def test_a_count_of_the_scheme_is_that_of_its_list(demo_client: httpx.AsyncClient) -> None:
    text = await page(demo_client, "/schema?lang=fr")
    counted = re.findall(r'href="(/\w+\?rubrique=[\w-]+)&amp;lang=fr">[^<]*\s: (\d+)<', text)
    assert len(counted) > 20
    for path, count in counted[:8]:
        found = await page(demo_client, f"{path}&lang=fr")
        assert f"<strong>{count}</strong>" in found


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/ligne-de-temps?nature=rien", "text/html", 404),
        ("/ligne-de-temps?page=9", "text/html", 404),
        ("/ligne-de-temps?page=x", "text/html", 404),
        ("/schema", "image/png", 406),
    ],
)
async def test_what_an_address_gives(
    demo_client: httpx.AsyncClient, path: str, accept: str, status: int
) -> None:
    assert (await demo_client.get(path, headers={"Accept": accept})).status_code == status


def test_every_kind_of_the_time_line_has_a_list(demo: Repository) -> None:
    schema = open_service(read_settings(demo.root)).schema
    assert timeline.kinds(schema).keys() == timeline.DATES.keys()
