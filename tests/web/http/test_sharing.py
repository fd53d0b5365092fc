"""Pages of other sites read all that is public; the editors' door shares nothing."""

import httpx
import pytest

from public import PUBLIC, Asked

pytestmark = pytest.mark.anyio

ELSEWHERE = "https://application.example"
# The Accept of Comunica: too long for a browser to send before it has asked.
COMUNICA = (
    "application/n-quads,application/trig;q=0.95,application/ld+json;q=0.9,"
    "application/n-triples;q=0.8,text/turtle;q=0.6,application/rdf+xml;q=0.5,text/n3;q=0.35,"
    "application/xml;q=0.3,image/svg+xml;q=0.3,text/xml;q=0.3,text/html;q=0.2"
)
ASKING = {
    "Origin": ELSEWHERE,
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "accept",
}
# What a script may read of any answer: Fetch standard, CORS-safelisted response-header names.
SAFE = {
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "expires",
    "last-modified",
    "pragma",
}
BROWSERS = {  # what browsers alone act upon
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "access-control-allow-origin",
    "access-control-expose-headers",
}
WRITES = ["/update", "/graph", "/commits/x", "/sparql"]


def paths(found: list[Asked]) -> list[str]:
    return list(dict.fromkeys(each.path for each in found))


@pytest.mark.parametrize("path", [*paths(PUBLIC), "/id/commune/68224/", "/a/b/c/d/"])
async def test_every_address_says_what_may_be_asked(
    demo_client: httpx.AsyncClient, path: str
) -> None:
    answer = await demo_client.options(path, headers=ASKING)
    assert (answer.status_code, answer.content) == (204, b"")
    headers = answer.headers
    assert headers["access-control-allow-origin"] == "*"
    assert {"GET", "HEAD"} <= set(headers["access-control-allow-methods"].split(", "))
    assert ("POST" in headers["allow"]) == (path.partition("?")[0] == "/sparql")
    assert {"*", "Accept", "Content-Type"} <= set(
        headers["access-control-allow-headers"].split(", ")
    )
    assert int(headers["access-control-max-age"]) >= 3600
    assert "access-control-allow-credentials" not in headers
    plain = await demo_client.options(path)
    assert (plain.status_code, plain.headers["allow"]) == (204, headers["allow"])
    assert "access-control-allow-methods" not in plain.headers


@pytest.mark.parametrize("asked", PUBLIC, ids=lambda each: f"{each.path[:60]} {each.accept[:20]}")
async def test_all_that_is_public_is_read_from_elsewhere(
    demo_client: httpx.AsyncClient, asked: Asked
) -> None:
    headers = {"Accept": asked.accept, "Origin": ELSEWHERE}
    answer = await demo_client.request(**asked.request, headers=headers)
    assert answer.status_code == asked.status
    if asked.path == "/metrics":
        assert "access-control-allow-origin" not in answer.headers
        return
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
    assert set(answer.headers) <= {*exposed, *SAFE, *BROWSERS}


@pytest.mark.parametrize("path", ["/id/commune/68224", "/sparql?query=ASK%7B%7D"])
async def test_the_accept_of_comunica_is_answered(
    demo_client: httpx.AsyncClient, path: str
) -> None:
    headers = {"Accept": COMUNICA, "Origin": ELSEWHERE}
    answer = await demo_client.get(path, headers=headers, follow_redirects=True)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.status_code in (200, 406)  # ASK has no graph
