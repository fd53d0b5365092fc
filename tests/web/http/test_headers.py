"""What a request's headers are before any address reads them: RFC 9110, section 5.3; Hosts."""

from pathlib import Path

import httpx
import pytest

from thc_graph.web.http.headers import joined

pytestmark = pytest.mark.anyio
HOST = "attacker.example"


def test_lists_are_joined_where_they_first_stood() -> None:
    given = [
        (b"accept", b"a"), (b"x", b"1"), (b"accept", b"b;q=.5"), (b"x", b"2"), (b"host", b"h"),
        (b"accept", b""), (b"cookie", b"c"), (b"if-none-match", b'"1"'), (b"if-none-match", b'"2"'),
    ]  # fmt: skip
    assert joined(given) == [
        (b"accept", b"a, b;q=.5, "), (b"x", b"1"), (b"x", b"2"), (b"host", b"h"), (b"cookie", b"c"),
        (b"if-none-match", b'"1", "2"'),
    ]  # fmt: skip


async def test_every_line_of_a_list_counts(client: httpx.AsyncClient) -> None:
    lines = [("Accept", "image/png"), ("Accept", "text/turtle;q=.5"), ("Accept", "text/html;q=.2")]
    answer = await client.get("/sparql", headers=lines)
    assert answer.headers["content-type"].startswith("text/turtle")
    page = await client.get("/sparql", headers=[("Accept", "text/html"), *ENGLISH])
    assert 'lang="en"' in page.text
    tags = [("If-None-Match", '"x"'), ("If-None-Match", answer.headers["etag"]), *lines]
    assert (await client.get("/sparql", headers=tags)).status_code == 304


ENGLISH = [
    ("Accept-Language", "de"),
    ("Accept-Language", "en;q=.8"),
    ("Accept-Language", "fr;q=.3"),
]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/sparql/", "/sparql"),
        ("/commune/?q=a%20b&page=2", "/commune?q=a%20b&page=2"),
        ("/sparql/exemples/", "/sparql/exemples"),
        ("/doc/commune/x/", "/doc/commune/x"),
        ("/caf%C3%A9/", "/caf%C3%A9"),
        ("//attacker.example/", None),
        ("//attacker.example/x/", None),
        ("/%2F%2Fattacker.example/", None),
        ("/\\attacker.example/", "/%5Cattacker.example"),
        ("/.well-known/nothing/", None),
    ],
)
async def test_a_slash_leads_to_an_address_of_ours(
    client: httpx.AsyncClient, path: str, expected: str | None
) -> None:
    answer = await client.get(httpx.URL(f"http://{HOST}", raw_path=path.encode()))
    assert answer.headers.get("location") == expected
    assert answer.status_code == (307 if expected else 404)


ANSWERS = [
    "/", "/sparql", "/sparql?query=ASK%20%7B%7D&format=html", "/sparql?query=ASK",
    "/sparql/exemples",
    "/sparql/exemples/", "/.well-known/void", "/commune", "/commune/", "/id/commune/x", "/voc",
    "/voc/ns", "/recherche?q=a", "/recherche/description.xml", "/agenda.ics",
    "/tableau-de-bord.atom",
    "/carte.geojson", "/nowhere/at/all", "/static", "/limites", "/metrics", "/readyz",
]  # fmt: skip


@pytest.mark.parametrize("accept", ["text/html", "text/turtle, */*;q=.1"])
async def test_no_answer_holds_a_host(demo_client: httpx.AsyncClient, accept: str) -> None:
    """Nor does it change with one: what a cache in front keeps of one reader is another's."""
    for path in ANSWERS:
        told = {
            "Accept": accept,
            "Host": HOST,
            "X-Forwarded-Host": HOST,
            "Forwarded": f"host={HOST}",
        }
        found = await demo_client.get(path, headers=told)
        other = await demo_client.get(path, headers={"Accept": accept})
        assert HOST not in found.text, path
        assert not any(HOST in value for value in found.headers.values()), path
        assert found.headers.get("etag") == other.headers.get("etag"), path


def test_no_module_reads_the_host() -> None:
    source = Path(__file__).parents[3] / "src" / "thc_graph"
    words = ("netloc", "base_url", ".hostname", 'headers["host"]', 'get("host"', "url.replace(")
    found = [
        (path.name, word)
        for path in (*source.rglob("*.py"), *source.rglob("*.html"))
        for word in words
        if word in path.read_text("utf-8")
    ]
    assert found == []
