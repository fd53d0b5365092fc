"""Real clients, none written here: what they send and read is what the endpoint must hold."""

import io
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import redirect_stdout
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from rdflib import URIRef
from rdflib.namespace import RDFS
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, GET, JSON, JSONLD, N3, POST, RDFXML, TURTLE, XML, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed

from thc_graph.web.sparql.snippets import SNIPPETS

ROOT = Path(__file__).parents[2]
COMUNICA = ROOT / "node_modules" / "@comunica" / "query-sparql" / "bin" / "query.js"
MULHOUSE = URIRef("https://data.thc.example/id/commune/68224")
LABEL = f"SELECT ?name WHERE {{ <{MULHOUSE}> <{RDFS.label}> ?name FILTER(LANG(?name) = 'fr') }}"
GRAPH = "CONSTRUCT { ?s a ?o } WHERE { ?s a ?o }"


def wrapper(address: str, query: str, form: str, method: str = GET) -> SPARQLWrapper:
    client = SPARQLWrapper(f"{address}/sparql")
    client.setQuery(query)
    client.setReturnFormat(form)
    client.setMethod(method)
    return client


@pytest.mark.parametrize("method", [GET, POST])
def test_sparqlwrapper_reads_rows(address: str, method: str) -> None:
    (row,) = wrapper(address, LABEL, JSON, method).queryAndConvert()["results"]["bindings"]
    assert row["name"] == {"type": "literal", "value": "Mulhouse", "xml:lang": "fr"}
    assert "Mulhouse" in wrapper(address, LABEL, XML, method).queryAndConvert().toxml()
    assert wrapper(address, LABEL, CSV, method).queryAndConvert().split() == [b"name", b"Mulhouse"]


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # SPARQLWrapper's own
@pytest.mark.parametrize("form", [TURTLE, RDFXML, N3, JSONLD])
def test_sparqlwrapper_reads_graphs(address: str, form: str) -> None:
    found = wrapper(address, GRAPH, form).queryAndConvert()
    text = found if isinstance(found, bytes) else found.serialize(format="nt").encode()
    assert b"thc:Commune" in text or b"https://w3id.org/thc/ns#Commune" in text


def test_sparqlwrapper_understands_a_fault(address: str) -> None:
    with pytest.raises(QueryBadFormed):
        wrapper(address, "SELECT", JSON).query()


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
def test_rdflib_reads_through_its_store(address: str, method: str) -> None:
    store = SPARQLStore(f"{address}/sparql", method=method, returnFormat="json")
    assert [str(row[0]) for row in store.query(LABEL)] == ["Mulhouse"]
    found = {str(o) for (_, _, o), _ in store.triples((MULHOUSE, RDFS.label, None))}
    assert found == {"Mulhouse", "Mülhausen"}


class Friend(BaseHTTPRequestHandler):
    """Another place on the web, with a few triples of its own."""

    def do_GET(self) -> None:
        body = f'<{MULHOUSE}> <https://friend.example/motto> "Ensemble" .'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/turtle")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the name http.server looks for

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def friend() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Friend)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/data.ttl"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.skipif(
    not COMUNICA.is_file(), reason="npm ci has not installed @comunica/query-sparql"
)
@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_comunica_federates_over_the_endpoint(address: str, friend: str) -> None:
    query = (
        f"SELECT ?name ?motto {{ ?place <{RDFS.label}> ?name ; "
        "<https://friend.example/motto> ?motto FILTER(LANG(?name) = 'fr') }"
    )
    command = ["node", COMUNICA, f"sparql@{address}/sparql", friend, "-q", query]
    done = subprocess.run(
        [*command, "-t", "application/json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert "Mulhouse" in row["name"]
    assert "Ensemble" in row["motto"]


TRICKY = f'{LABEL}\n# `${{x}}` \\ \' " )-" \n# """ \'\'\''


def test_the_python_snippet_runs(address: str) -> None:
    for query in (LABEL, TRICKY):
        told = io.StringIO()
        with redirect_stdout(told):
            exec(SNIPPETS["Python"](f"{address}/sparql", query, "application/sparql-results+json"))  # noqa: S102
        assert "Mulhouse" in told.getvalue()


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_the_curl_snippet_runs(address: str) -> None:
    query = TRICKY
    text = SNIPPETS["curl"](f"{address}/sparql", query, "text/csv")
    done = subprocess.run(
        ["sh", "-c", text], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout.split() == ["name", "Mulhouse"]


@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_the_javascript_snippet_runs(address: str) -> None:
    query = TRICKY
    text = SNIPPETS["JavaScript"](f"{address}/sparql", query, "application/sparql-results+json")
    command = ["node", "--input-type=module", "-e", text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    assert "Mulhouse" in done.stdout


@pytest.mark.parametrize("query", [')-"', ')--"', "ASK {}"])
def test_nothing_in_a_query_closes_its_quotation_in_r(query: str) -> None:
    dashes = re.search(r'r"(-+)\(', SNIPPETS["R"]("x", query, "y"))
    assert dashes
    assert f'){dashes[1]}"' not in query


def test_no_line_of_a_query_closes_its_quotation_in_a_shell() -> None:
    assert SNIPPETS["curl"]("x", "SPARQL\nSPARQL_", "y").endswith("\nSPARQL__\n")
