"""The editors' door: who comes in, what is written, and what is answered.

SPARQL 1.1 Protocol, section 2.2; Graph Store HTTP Protocol, section 5; RFC 6750, section 3.
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyoxigraph import NamedNode, Quad, RdfFormat, parse

from thc_graph.errors import StoreFull, StoreFullLate
from thc_graph.instance.service import Service
from thc_graph.instance.settings import Settings, resources
from thc_graph.people import tokens
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.formats import GRAPHS
from thc_graph.schema.reading import read_schema
from thc_graph.schema.validation import accept_unchecked
from thc_graph.store.library import Library
from thc_graph.store.snapshots.derivation import Derivation
from thc_graph.store.writes.permissions import MOST
from thc_graph.store.writes.repository import Repository
from thc_graph.web.app import create_app
from thc_graph.web.editors_app import create_editors
from thc_graph.web.http.problems import problem_of
from thc_graph.web.pages.problem import sentences_of
from thc_graph.web.rendering.templates import Pages
from thc_graph.web.serving.ports import Doors

pytestmark = pytest.mark.anyio

SHAPES = Path(__file__).parents[2] / "fixtures/editing"
BASE = Settings.base
GRAPH = f"{BASE}/graph/essai/communes"
COMMUNE = f"<{BASE}/id/commune/68224>"
LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
JSON_LD = {"Content-Type": "application/ld+json"}
TURTLE = {"Content-Type": "text/turtle"}
UPDATE = {"Content-Type": "application/sparql-update"}
NAMELESS = f"{COMMUNE} a <https://w3id.org/thc/ns#Commune> ."
NAMED = f'{NAMELESS} {COMMUNE} {LABEL} "Mulhouse"@fr .'
BY_NAME = {"graph": GRAPH}


def renaming(name: str) -> str:
    return f'INSERT DATA {{ GRAPH <{GRAPH}> {{ {COMMUNE} {LABEL} "{name}"@de }} }}'


class Editors:
    """A client of the editors' door that may hold a token."""

    def __init__(self, client: httpx.AsyncClient, repository: Repository, pages: Pages) -> None:
        self.client, self.repository, self.pages = client, repository, pages
        self.secrets = {
            role: tokens.create(repository.root, f"Ville ({role})", role) for role in tokens.ROLES
        }

    async def __call__(
        self, method: str, path: str, role: str | None = "write", **given: Any
    ) -> httpx.Response:
        headers = dict(given.pop("headers", {}))
        if role:
            headers.setdefault("Authorization", f"Bearer {self.secrets.get(role, role)}")
        return await self.client.request(method, path, headers=headers, **given)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    library = Library(resources().queries_folder)
    root = tmp_path_factory.mktemp("editing")
    found = Repository(root, read_schema(SHAPES), Derivation(library, BASE))
    given = parse(NAMED, format=RdfFormat.TURTLE)
    change = ChangeSet(added=frozenset(Quad(*q.triple, NamedNode(GRAPH)) for q in given))
    with found.writing() as writer, found.draft(change) as draft:
        writer.publish(draft, accept_unchecked(change), "essais", "Début")
    return found


@pytest.fixture(scope="module")
async def editors(repository: Repository) -> AsyncIterator[Editors]:
    settings = Settings(repository.root, workers=1, refresh_seconds=3600, update_size=100_000)
    library = repository.derivation.library
    public = create_app(Service(settings, repository.schema, library))
    files = replace(resources(), ontology_folder=SHAPES, shapes_folder=SHAPES)
    inside = create_editors(public, files)
    transport = httpx.ASGITransport(Doors(public, inside, 8001), raise_app_exceptions=False)
    async with (
        public.router.lifespan_context(public),
        httpx.AsyncClient(transport=transport, base_url="http://localhost:8001") as client,
    ):
        yield Editors(client, repository, public.state.pages)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/update"),
        ("GET", "/sparql?query=ASK{}"),
        ("GET", "/graph?default"),
        ("HEAD", "/graph/essai/communes"),
        ("PUT", "/graph/essai/communes"),
        ("POST", "/graph"),
        ("DELETE", "/graph/essai/communes"),
        ("GET", "/commits/" + "0" * 64),
    ],
)
@pytest.mark.parametrize(
    ("role", "challenge"),
    [(None, 'Bearer realm="thc-graph"'), ("thc_guess", 'error="invalid_token"')],
)
async def test_nobody_comes_in_without_a_token(
    editors: Editors, method: str, path: str, role: str | None, challenge: str
) -> None:
    response = await editors(method, path, role)
    assert response.status_code == 401
    assert challenge in response.headers["www-authenticate"]


@pytest.mark.parametrize("scheme", ["Basic", "bearer", "Bearer"])
async def test_the_scheme_is_bearer_in_any_case(editors: Editors, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {editors.secrets['read']}"}
    response = await editors("GET", "/graph/essai/communes", headers=headers)
    assert response.status_code == (401 if scheme == "Basic" else 200)


async def test_a_reader_does_not_write(editors: Editors) -> None:
    response = await editors("POST", "/update", "read", headers=UPDATE, content="CLEAR ALL")
    assert response.status_code == 403
    assert 'error="insufficient_scope", scope="write"' in response.headers["www-authenticate"]
    assert (await editors("GET", "/sparql", "read", params={"query": "ASK {}"})).status_code == 200


BLANK_GRAPH = "INSERT { GRAPH ?g { <urn:a> <urn:b> <urn:c> } } WHERE { BIND(BNODE() AS ?g) }"


@pytest.mark.parametrize("path", ["/update", "/graph", "/commits/x"])
async def test_the_public_port_has_none_of_it(editors: Editors, path: str) -> None:
    for method in ("POST", "PUT", "DELETE"):
        response = await editors(method, f"http://localhost:8000{path}", "admin", content="x")
        assert response.status_code in (404, 405)
    for path_ in ("/", "/healthz", "/static/thc.css"):
        assert (await editors("GET", path_, "admin")).status_code == 404


async def test_an_update_is_a_commit_read_at_once(editors: Editors) -> None:
    response = await editors("POST", "/update", headers=UPDATE, content=renaming("Eins"))
    assert response.status_code == 200
    commit = response.json()["commit"]
    assert response.headers["thc-commit"] == commit == editors.repository.history.head
    assert response.headers["location"] == f"/commits/{commit}"
    asked = await editors("GET", "/sparql", params={"query": f'ASK {{ {COMMUNE} ?p "Eins"@de }}'})
    assert asked.json()["boolean"]
    told = (await editors("GET", f"/commits/{commit}")).json()
    assert (told["author"], told["added"], told["removed"]) == ("Ville (write)", 1, 0)
    accept = {"Accept": "application/rdf-patch"}
    patch = (await editors("GET", f"/commits/{commit}", headers=accept)).text
    assert patch == f'TX .\nA {COMMUNE} {LABEL} "Eins"@de <{GRAPH}> .\nTC .\n'


async def test_what_changes_nothing_is_no_commit(editors: Editors) -> None:
    form = {"update": "DELETE DATA { GRAPH <urn:g> { <urn:a> <urn:b> <urn:c> } }"}
    response = await editors("POST", "/update", data=form)
    assert (response.status_code, response.json()["commit"]) == (200, None)
    assert "location" not in response.headers


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"data": {"update": ["CLEAR DEFAULT", "CLEAR NAMED"]}}, 400),
        ({"data": {"query": "ASK {}"}}, 400),
        ({"content": "CLEAR XYZ", "headers": UPDATE}, 400),
        ({"content": "CLEAR ALL", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"content": b"\xff\xfe", "headers": UPDATE}, 400),
        (
            {
                "content": "CLEAR ALL".encode("utf-16"),
                "headers": {"Content-Type": "application/sparql-update; charset=UTF-16"},
            },
            415,
        ),
        ({"content": "CLEAR ALL", "headers": UPDATE}, 403),
        ({"content": "INSERT DATA { <urn:a> <urn:b> 1 }", "headers": UPDATE}, 403),
        ({"content": "LOAD <http://127.0.0.1:9/>", "headers": UPDATE}, 403),
        ({"content": BLANK_GRAPH, "headers": UPDATE}, 403),
        ({"content": "x" * (1 << 20) + "x", "headers": UPDATE}, 413),
        (
            {
                "content": f"INSERT DATA {{ GRAPH <{GRAPH}> {{ [] a 1 }} }}",
                "headers": UPDATE,
            },
            422,
        ),
    ],
)
async def test_updates_refused(editors: Editors, request_: dict[str, Any], status: int) -> None:
    head = editors.repository.history.head
    response = await editors("POST", "/update", **request_)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["title"]
    assert editors.repository.history.head == head


async def test_get_is_no_way_to_update(editors: Editors) -> None:
    response = await editors("GET", "/update", params={"update": "CLEAR ALL"})
    assert (response.status_code, response.headers["allow"]) == (405, "POST, OPTIONS")


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/problem+json"),
        ("*/*", "application/problem+json"),
        ("text/turtle", "text/turtle"),
        ("application/ld+json, */*;q=0.1", "application/ld+json"),
        ("text/html", "text/html"),
    ],
)
async def test_a_refused_write_gives_the_report(
    editors: Editors, accept: str, media_type: str
) -> None:
    headers = {**TURTLE, "Accept": accept}
    response = await editors("PUT", "/graph", params=BY_NAME, content=NAMELESS, headers=headers)
    assert response.status_code == 422
    assert response.headers["content-type"].partition(";")[0] == media_type
    if "problem" in media_type:
        (told,) = response.json()["violations"]
        assert told["focus"] == COMMUNE.strip("<>")
        assert told["message"]["fr"] == "Une commune a un nom."
    elif "html" not in media_type:
        form = RdfFormat.from_media_type(media_type)
        found = {str(quad.object) for quad in parse(response.content, format=form)}
        assert {COMMUNE, "<http://www.w3.org/ns/shacl#ValidationReport>"} <= found
        assert '"Une commune a un nom."@fr' in found


@pytest.mark.parametrize(
    ("path", "params"),
    [("/graph", {"graph": f"{BASE}/graph/essai/vie"}), ("/graph/essai/vie", {})],
    ids=["indirect", "direct"],
)
async def test_a_graph_lives_and_dies(editors: Editors, path: str, params: dict[str, str]) -> None:
    async def ask(method: str, content: str | None = None, **headers: str) -> httpx.Response:
        given = {**(TURTLE if content else {}), **headers}
        return await editors(method, path, params=params, content=content, headers=given)

    assert (await ask("GET")).status_code == 404
    assert (await ask("HEAD")).status_code == 404
    assert (await ask("DELETE")).status_code == 404
    assert (await ask("PUT", "<urn:a> <urn:p> 1 .")).status_code == 201
    assert (await ask("PUT", "<urn:a> <urn:p> 2 .")).status_code == 204
    assert (await ask("POST", "<urn:a> <urn:p> 3 .")).status_code == 204
    read = await ask("GET", Accept="application/n-triples")
    assert [line.split(" ")[2][1] for line in read.text.splitlines()] == ["2", "3"]
    head = await ask("HEAD", Accept="application/n-triples")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == read.headers["etag"]
    assert (await ask("DELETE")).status_code == 204
    assert (await ask("GET")).status_code == 404


@pytest.mark.parametrize("media_type", GRAPHS)
async def test_a_graph_goes_round_in_every_syntax(editors: Editors, media_type: str) -> None:
    read = await editors("GET", "/graph/essai/communes", headers={"Accept": media_type})
    assert read.headers["content-type"].startswith(media_type)
    headers = {"Content-Type": media_type, "If-Match": read.headers["etag"]}
    written = await editors("PUT", "/graph/essai/communes", content=read.content, headers=headers)
    assert written.status_code == 204, written.text
    assert "thc-commit" not in written.headers


async def test_a_graph_without_a_name_gets_one(editors: Editors) -> None:
    made = await editors("POST", "/graph", content="<urn:a> <urn:p> 1 .", headers=TURTLE)
    assert made.status_code == 201
    location = made.headers["location"]
    assert location.startswith(f"{BASE}/graph/edition/")
    assert (await editors("GET", "/graph", params={"graph": location})).status_code == 200
    assert (await editors("GET", location.removeprefix(BASE))).status_code == 200


async def test_the_parts_of_a_form_are_put_together(editors: Editors) -> None:
    files = [("f", (f"{n}.ttl", f"<urn:a> <urn:p> {n} .", "text/turtle")) for n in (1, 2)]
    path = "/graph/essai/formulaire"
    assert (await editors("POST", path, files=files)).status_code == 201
    read = await editors("GET", path, headers={"Accept": "application/n-triples"})
    assert len(read.text.splitlines()) == 2
    picture = [("f", ("x.png", b"\x89PNG", "image/png"))]
    assert (await editors("POST", path, files=picture)).status_code == 400


async def test_the_default_graph_is_read_and_not_written(editors: Editors) -> None:
    assert "Mulhouse" in (await editors("GET", "/graph?default")).text
    response = await editors("PUT", "/graph?default", content=NAMED, headers=TURTLE)
    assert response.status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status"),
    [
        ("GET", "/graph", {}, None, 400),
        ("GET", "/graph?default&graph=urn:g", {}, None, 400),
        ("GET", "/graph?graph=relative", {}, None, 400),
        ("GET", "/graph/essai/communes", {"Accept": "image/png"}, None, 406),
        ("PATCH", "/graph/essai/communes", {}, None, 405),
        ("PUT", "/graph/essai/communes", {"Content-Type": "image/png"}, "x", 415),
        ("PUT", "/graph/essai/communes", {}, "x", 415),
        ("PUT", "/graph/essai/communes", {"Content-Type": "text/turtle; charset=latin1"}, "x", 415),
        ("PUT", "/graph/essai/communes", TURTLE, "<a> <b> .", 400),
        ("PUT", "/graph/essai/communes", TURTLE, "#" * 100_001, 413),
        ("PUT", "/graph?graph=urn:elsewhere", TURTLE, "<a> <b> <c> .", 403),
        ("PUT", "/graph/derive/situe-dans", TURTLE, "<a> <b> <c> .", 403),
        ("PUT", "/graph/catalogue/essai", TURTLE, "<a> <b> <c> .", 403),
        ("PUT", "/graph/vocabulaire/thc", TURTLE, "<a> <b> <c> .", 403),
        (
            "PUT",
            "/graph/essai/x",
            JSON_LD,
            '{"@context": "http://127.0.0.1:9/"}',
            400,
        ),
    ],
)
async def test_graphs_refused(
    editors: Editors,
    method: str,
    path: str,
    headers: dict[str, str],
    content: str | None,
    status: int,
) -> None:
    head = editors.repository.history.head
    response = await editors(method, path, headers=headers, content=content)
    assert response.status_code == status, response.text
    assert editors.repository.history.head == head


async def test_a_change_of_too_many_facts_is_a_conflict(editors: Editors) -> None:
    """What an administrator may do at once, another does part by part."""
    numbers = " ".join(map(str, range(int(MOST**0.5) + 1)))
    pairs = f"VALUES ?a {{ {numbers} }} VALUES ?b {{ {numbers} }} BIND(1000 * ?a + ?b AS ?n)"
    text = f"INSERT {{ GRAPH <{GRAPH}> {{ {COMMUNE} <urn:p> ?n }} }} WHERE {{ {pairs} }}"
    response = await editors("POST", "/update", headers=UPDATE, content=text)
    assert (response.status_code, response.json()["limit"]) == (409, MOST), response.text


async def test_an_admin_writes_the_vocabulary(editors: Editors) -> None:
    path, content = "/graph/vocabulaire/essai", "<urn:a> <urn:p> 1 ."
    assert (await editors("PUT", path, "admin", content=content, headers=TURTLE)).status_code == 201


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({"If-Match": "{tag}"}, 204),
        ({"If-Match": '"other", {tag}'}, 204),
        ({"If-Match": "*"}, 204),
        ({"If-Match": '"other"'}, 412),
        ({"If-None-Match": "*"}, 412),
        ({"If-None-Match": "{tag}"}, 412),
        ({"If-None-Match": '"other"'}, 204),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_a_write_may_depend_on_the_graph(
    editors: Editors, method: str, condition: dict[str, str], status: int
) -> None:
    path = "/graph/essai/condition"
    await editors("PUT", path, content="<urn:a> <urn:p> 1 .", headers=TURTLE)
    tag = (await editors("GET", path)).headers["etag"]
    headers = {name: value.replace("{tag}", tag) for name, value in condition.items()}
    content = None if method == "DELETE" else "<urn:a> <urn:p> 2 ."
    response = await editors(method, path, content=content, headers={**TURTLE, **headers})
    assert response.status_code == status


async def test_a_new_graph_may_be_asked_to_be_new(editors: Editors) -> None:
    path, given = "/graph/essai/neuf", {"content": "<urn:a> <urn:p> 1 ."}
    for headers, status in (({"If-Match": "*"}, 412), ({"If-None-Match": "*"}, 201)):
        response = await editors("PUT", path, headers={**TURTLE, **headers}, **given)
        assert response.status_code == status


async def test_what_is_held_is_not_sent_again(editors: Editors) -> None:
    tag = (await editors("GET", "/graph/essai/communes")).headers["etag"]
    again = await editors("GET", "/graph/essai/communes", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_store_locked_elsewhere_is_told(editors: Editors) -> None:
    with editors.repository.writing():
        response = await editors("POST", "/update", headers=UPDATE, content=renaming("Zwei"))
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["code"] == "StoreLocked"


@pytest.mark.parametrize("error", [StoreFull(), StoreFullLate("0" * 64)])
async def test_a_full_disk_is_told_in_words(editors: Editors, error: StoreFull) -> None:
    problem = problem_of(error)
    assert problem.status == 507
    for language, word in (("fr", "disque"), ("en", "disk")):
        told = sentences_of(editors.pages, problem, language)
        assert word in told["title"]
        assert problem.facts.get("what", "") in told["detail"]


async def test_an_unknown_commit_is_not_found(editors: Editors) -> None:
    for name in ("0" * 64, "..%2F..%2Fsettings.yaml", "x"):
        assert (await editors("GET", f"/commits/{name}")).status_code == 404


async def test_no_secret_and_no_path_is_told(editors: Editors) -> None:
    response = await editors("POST", "/update", headers=UPDATE, content="INSERT DATA { oups }")
    assert str(editors.repository.root) not in response.text
    assert json.loads(response.text)["line"] == 1


@pytest.mark.parametrize("path", ["/update", "/graph", "/sparql", "/commits/x", "/nowhere"])
async def test_the_door_shares_nothing_with_other_sites(editors: Editors, path: str) -> None:
    asking = {"Origin": "https://application.example", "Access-Control-Request-Method": "POST"}
    for method in ("OPTIONS", "GET", "POST"):
        answer = await editors(method, path, "admin", headers=asking)
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert re.match("private|no-store", answer.headers["cache-control"])
    known = await editors("GET", "/sparql", params={"query": "ASK {}"}, headers=asking)
    assert known.headers["cache-control"].startswith("private, ")


async def test_what_the_door_answers_is_never_packed(editors: Editors) -> None:
    asked = {"query": f"SELECT * {{ VALUES ?text {{ '{'long ' * 400}' }} }}"}
    answer = await editors("GET", "/sparql", params=asked, headers={"Accept-Encoding": "gzip, br"})
    assert len(answer.content) > 1024
    assert "content-encoding" not in answer.headers
