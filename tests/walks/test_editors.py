"""The editors' door as a program uses it: a token, a write, and what citizens then find."""

import time
from http import HTTPStatus

import httpx

from serving import PATIENCE, free_port, served
from thc_graph.instance.settings import Settings
from thc_graph.people import tokens
from thc_graph.store.writes.repository import Repository

ACTOR = f"<{Settings.base}/id/organisation/atelier-des-communs>"
PAGE = "/doc/organisation/atelier-des-communs"
GRAPH = f"<{Settings.base}/graph/edition/acteurs>"
ADD = f"""
    PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
    PREFIX thc: <https://w3id.org/thc/ns#>
    INSERT DATA {{ GRAPH {GRAPH} {{ {ACTOR} a thc:Organisation ; rdfs:label "Zépelin"@fr }} }}"""
REMOVE = f"DELETE WHERE {{ GRAPH {GRAPH} {{ {ACTOR} ?p ?o }} }}"


def eventually(client: httpx.Client, path: str, status: HTTPStatus) -> httpx.Response:
    end = time.monotonic() + PATIENCE
    while (response := client.get(path)).status_code != status:
        assert time.monotonic() < end, response.text
        time.sleep(0.1)
    return response


def test_what_an_editor_writes_citizens_find_until_it_is_removed(bare: Repository) -> None:
    headers = {"Authorization": f"Bearer {tokens.create(bare.root, 'Ville', 'write')}"}
    port = free_port()
    update = f"http://127.0.0.1:{port}/update"
    with (
        served(bare.root, "--editors", str(port)) as address,
        httpx.Client(base_url=address) as citizen,
        httpx.Client(headers=headers) as editor,
    ):
        for text, status in ((ADD, HTTPStatus.OK), (REMOVE, HTTPStatus.NOT_FOUND)):
            assert editor.post(update, data={"update": text}).status_code == HTTPStatus.OK
            page = eventually(citizen, PAGE, status)
            assert ("Zépelin" in page.text) == (text == ADD)
            found = citizen.get("/recherche", params={"q": "zepelin"})
            assert (PAGE in found.text) == (text == ADD)
    assert [each.author for each in bare.history.log()][:2] == ["Ville", "Ville"]
