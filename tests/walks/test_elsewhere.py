"""A page of another site reads what is public, in a real browser that asks before it does."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from browsing import chromium, needs_chromium

COMUNICA = Path(__file__).parents[2] / "node_modules/@comunica/query-sparql/bin/query.js"
# What Comunica's actors for documents, and for SPARQL, ask for in a browser: longer than the
# 128 characters that may be sent without asking before (Fetch standard, section 2.2.2).
DOCUMENTS = (
    "application/n-quads,application/trig;q=0.95,application/ld+json;q=0.9,"
    "application/n-triples;q=0.8,text/turtle;q=0.6,application/rdf+xml;q=0.5,text/n3;q=0.35,"
    "application/xml;q=0.3,image/svg+xml;q=0.3,text/xml;q=0.3,text/html;q=0.2,"
    "application/xhtml+xml;q=0.18"
)
ANSWERS = (
    "application/sparql-results+json;q=1.0,application/sparql-results+xml;q=0.7,"
    "application/n-quads;q=0.7,application/trig;q=0.6,text/turtle;q=0.5,text/csv;q=0.1"
)
QUERY = "SELECT ?name { <https://data.thc.example/id/commune/68224> ?p ?name }"
FORM = "application/x-www-form-urlencoded"
CASES: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "an entity, sent on": ("/id/commune/68224", {"Accept": DOCUMENTS}, 200, "Mulhouse"),
    "its document": ("/doc/commune/68224", {"Accept": DOCUMENTS}, 200, "Mulhouse"),
    "a former code": ("/id/commune/68048", {"Accept": DOCUMENTS}, 200, "Mulhouse"),
    "a word": ("/voc/ns/Engagement", {"Accept": DOCUMENTS}, 200, "Engagement"),
    "a list": ("/engagement.jsonld", {"Accept": DOCUMENTS}, 200, "engagement"),
    "a search": ("/recherche.json?q=mulhouse", {"X-Requested-With": "app"}, 200, "Mulhouse"),
    "the dataset": ("/.well-known/void", {"Accept": DOCUMENTS}, 200, "void"),
    "a query": (f"/sparql?query={quote(QUERY)}", {"Accept": ANSWERS}, 200, "Mulhouse"),
    "nothing": ("/doc/commune/0", {"Accept": DOCUMENTS}, 404, "404"),
    "nowhere": ("/nulle/part/ailleurs", {"Accept": DOCUMENTS}, 404, "404"),
}
FETCH = """async ([address, options]) => {
  const answer = await fetch(address, options);
  const named = ["etag", "link", "vary", "content-encoding", "x-request-id"];
  return {
    url: answer.url, status: answer.status, text: await answer.text(),
    headers: Object.fromEntries(named.map((name) => [name, answer.headers.get(name)])),
  };
}"""

pytestmark = needs_chromium


class Elsewhere(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>Elsewhere</title>")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def elsewhere() -> Iterator[str]:
    """Give the address of another site, on another port of loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with elsewhere() as address, chromium() as browser:
        page = browser.new_page()
        page.goto(address)
        yield page


@pytest.mark.parametrize("case", CASES)
def test_a_page_elsewhere_reads_what_is_public(page: Page, site: str, case: str) -> None:
    path, headers, status, text = CASES[case]
    answer = page.evaluate(FETCH, [site + path, {"headers": headers}])
    assert answer["status"] == status
    assert text in answer["text"]
    assert answer["headers"]["x-request-id"]
    assert answer["headers"]["vary"]
    if status == 200:
        assert answer["headers"]["etag"]
        again = {**headers, "If-None-Match": answer["headers"]["etag"]}
        known = page.evaluate(FETCH, [answer["url"], {"headers": again, "cache": "no-store"}])
        assert (known["status"], known["text"]) == (304, "")


def test_a_page_elsewhere_asks_by_post(page: Page, site: str) -> None:
    for media_type, body in ((FORM, f"query={quote(QUERY)}"), ("application/sparql-query", QUERY)):
        options = {
            "method": "POST",
            "headers": {"Accept": ANSWERS, "Content-Type": media_type},
            "body": body,
        }
        answer = page.evaluate(FETCH, [f"{site}/sparql", options])
        assert answer["status"] == 200
        assert "Mulhouse" in answer["text"]


def test_a_page_elsewhere_reads_no_measures(page: Page, site: str) -> None:
    failed = f"() => fetch('{site}/metrics').then(() => 'read', () => 'refused')"
    assert page.evaluate(failed) == "refused"


@pytest.mark.skipif(not COMUNICA.is_file(), reason="npm ci has not installed Comunica")
@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_comunica_reads_an_entity(site: str) -> None:
    command = ["node", str(COMUNICA), f"{site}/id/commune/68224", "-q", QUERY]
    done = subprocess.run(
        [*command, "-t", "application/json"], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert any("Mulhouse" in row["name"] for row in json.loads(done.stdout))
