"""What programs look for at the addresses that are the same on every site."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from public import PUBLIC

pytestmark = pytest.mark.anyio

Limited = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


def rules(text: str) -> list[tuple[bool, str]]:
    """Return the rules for all crawlers, as RFC 9309 reads them: allowed or not, and a pattern."""
    first, *lines = text.splitlines()
    assert first == "User-agent: *"
    pairs = [line.split(": ") for line in lines]
    assert {name for name, _ in pairs} <= {"Allow", "Disallow"}
    return [(name == "Allow", pattern) for name, pattern in pairs]


def may(text: str, path: str) -> bool:
    """Tell whether an address may be fetched: the longest rule that matches it says so."""

    def matches(pattern: str) -> bool:
        return re.match(re.escape(pattern).replace(r"\*", ".*"), path) is not None

    found = [(len(pattern), allowed) for allowed, pattern in rules(text) if matches(pattern)]
    return max(found)[1] if found else True


ALLOWED = ["/", "/commune", "/commune?page=2", "/doc/commune/68224", "/doc/commune/68224.ttl"]
ALLOWED += ["/tableau-de-bord", "/sparql", "/sparql/exemples", "/voc/ns", "/.well-known/void"]
ALLOWED += ["/engagement?lang=en", "/static/thc.css", "/recherche", "/communes-nouvelles"]
REFUSED = ["/sparql?query=ASK%7B%7D", "/recherche?q=a", "/commune.csv", "/engagement.xlsx?page=1"]
REFUSED += ["/engagement?statut=realise&theme=x", "/doc/commune/68224/historique"]


@pytest.mark.parametrize("path", [*ALLOWED, *REFUSED])
async def test_robots(demo_client: httpx.AsyncClient, path: str) -> None:
    answer = await demo_client.get("/robots.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert may(answer.text, path) == (path in ALLOWED)


async def test_robots_are_told_of_nothing_that_is_not_there(
    demo_client: httpx.AsyncClient,
) -> None:
    text = (await demo_client.get("/robots.txt")).text
    for _, pattern in rules(text):
        path = pattern.partition("?")[0].replace("/*/", "/commune/68224/").replace("/*", "/commune")
        path += "csv" if path.endswith(".") else ""
        answer = await demo_client.get(path, headers={"Accept": "*/*"})
        assert answer.status_code == 200, path


async def test_the_icon(client: httpx.AsyncClient) -> None:
    answer = await client.get("/favicon.ico")
    assert answer.headers["content-type"] == "image/vnd.microsoft.icon"
    assert answer.content.startswith(b"\0\0\1\0")
    assert len(answer.content) < 1024
    assert "max-age" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("contact", "told"),
    [
        ("securite@thc.example", "mailto:securite@thc.example"),
        ("https://thc.example/contact", "https://thc.example/contact"),
    ],
)
async def test_whom_to_write_to_about_a_weakness(limited: Limited, contact: str, told: str) -> None:
    async with limited(contact=contact) as client:
        answer = await client.get("/.well-known/security.txt")
        again = await client.get(
            "/.well-known/security.txt", headers={"If-None-Match": answer.headers["etag"]}
        )
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"] == told
    assert fields["Preferred-Languages"] == "fr, en"
    assert fields["Canonical"] == "https://data.thc.example/.well-known/security.txt"
    left = datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)
    assert timedelta(days=90) < left < timedelta(days=365)
    assert again.status_code == 304


async def test_nobody_is_named_where_nobody_is_known(client: httpx.AsyncClient) -> None:
    assert (await client.get("/.well-known/security.txt")).status_code == 404


async def test_fixed_files_are_kept_for_a_while(demo_client: httpx.AsyncClient) -> None:
    for asked in PUBLIC:
        if asked.path in ("/robots.txt", "/favicon.ico"):
            answer = await demo_client.get(asked.path)
            assert answer.headers["cache-control"] == "public, max-age=86400"
            assert answer.headers["etag"]
