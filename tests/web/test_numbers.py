"""Every number that an address or a header may hold, on every address that reads some."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thc_graph.instance.service import open_service
from thc_graph.instance.settings import read_settings
from thc_graph.store.writes.repository import Repository
from visiting import visiting

pytestmark = pytest.mark.anyio

HTML = {"Accept": "text/html"}
ENTITY = "/doc/commune/68224"
PAGED = [  # addresses whose page past the end, or unreadable, is none
    "/commune?page=",
    "/departement?vue=tableau&page=",
    "/voc?page=",
    "/recherche?q=mulhouse&dans=commune&page=",
    "/recherche.json?q=essai&dans=organisation&page=",
    "/ligne-de-temps?page=",
    f"{ENTITY}/cite-par?propriete=http%3A%2F%2Fpurl.org%2Fdc%2Fterms%2FisPartOf&page=",
]
LENIENT = ["/tableau-de-bord?page=", "/agenda?page=", "/agenda?periode=passe&page="]
OTHERS = [
    "/tableau-de-bord?depuis=",
    "/tableau-de-bord.atom?depuis=",
    "/tableau-de-bord/statuts.svg?depuis=",
    "/evenement?date=",
    "/engagement?echeance=",
    "/commune?population=",
    "/carte?zoom=",
    "/carte.geojson?lat=",
    "/sparql/exemples/suivre-depuis?depuis=",
    "/commune.csv?page=",
    "/sparql?query=ASK%20%7B%7D&timeout=",
]
NUMBERS = [
    "000000001999999999999", "9" * 5_000, "0" * 5_000 + "1", "-1", "0", "+2", "1_0", "１", "٣", "²",
    "nan", "inf", "-inf", "1e400", "1e3", "1.5", "0x1", "%00", "%0A1", "99999999999999999999",
    "18446744073709551616", "9223372036854775807", "4294967296", "0001-01-01", "9999-12-31",
    "99999-01-01", "2016-W01-1", "", "%20", "1000000", "999999",
]  # fmt: skip
HEADERS = [
    {"If-Modified-Since": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"},
    {"If-Modified-Since": "Mon, 01 Jan 2026 9999999999:00:00 GMT"},
    {"If-Modified-Since": "Mon, 01 Jan 2026 00:00:00 +99999999"},
    {"If-Modified-Since": "Mon, 01 Jan 2026 00:00:00 +" + "9" * 5_000},
    {"If-Modified-Since": "9" * 5_000},
    {"Content-Length": "-1"},
    {"Content-Length": "+1"},
    {"Content-Length": "9" * 5_000},
    {"Accept": "text/html;q=" + "9" * 3_000, "Accept-Language": "fr;q=nan, en;q=1e999"},
    {"X-Forwarded-For": "9" * 5_000},
    {"Range": "bytes=" + "9" * 5_000 + "-"},
]


@dataclass
class Seen:
    client: httpx.AsyncClient

    async def status(self, path: str, **headers: str) -> int:
        answer = await self.client.get(path, headers={**HTML, **headers})
        return answer.status_code


@pytest.fixture(scope="module")
async def seen(demo: Repository) -> AsyncIterator[Seen]:
    async with visiting(open_service(read_settings(demo.root))) as client:
        yield Seen(client)


@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
async def test_no_number_is_a_fault(seen: Seen, number: str) -> None:
    for address in PAGED:
        expected = 404 if number or address == PAGED[-1] else 200  # what says nothing is not there
        assert (await seen.status(address + number)) == expected, address
    for address in (*LENIENT, *OTHERS):
        assert (await seen.status(address + number)) in (200, 400, 404), address


async def test_a_page_that_exists_does(seen: Seen) -> None:
    for address in (*PAGED[:-1], *LENIENT):
        assert (await seen.status(f"{address}1")) == 200, address
    for address in (*LENIENT[:2], "/commune?page="):
        assert (await seen.status(f"{address}999999")) == 404, address


@pytest.mark.parametrize("headers", HEADERS, ids=range(len(HEADERS)))
async def test_no_number_of_a_header_is_a_fault(seen: Seen, headers: dict[str, str]) -> None:
    for address in ("/commune", ENTITY, "/sparql?query=ASK%20%7B%7D"):
        assert (await seen.status(address, **headers)) == 200
    body = {"content": b"ASK {}", "headers": {"Content-Type": "application/sparql-query"} | headers}
    assert (await seen.client.post("/sparql", **body)).status_code in (200, 413)


@given(
    st.sampled_from([*PAGED, *LENIENT, *OTHERS]),
    st.text(max_size=60) | st.from_regex(r"[-+0-9._eET:/ ]+", fullmatch=True),
)
@settings(max_examples=150)
async def test_whatever_is_written(seen: Seen, address: str, text: str) -> None:
    written = quote(text.encode("utf-8", "surrogatepass"))
    assert (await seen.status(address + written)) in (200, 400, 404)


async def test_numbers_of_an_answer_that_are_none_are_shown(seen: Seen) -> None:
    odd = ("abc", "1e999", "1E999999999", "nan", "9" * 400, "1_0", "-1e308", "１")
    terms = " ".join(f'("{each}"^^xsd:decimal "{each}"^^xsd:double "a")' for each in odd)
    query = (
        "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> "
        f"SELECT * {{ VALUES (?lat ?long ?label) {{ {terms} }} }}"
    )
    for view in ("table", "map", "bar", "timeline"):
        asked = {"query": query, "format": "html", "view": view}
        assert (await seen.client.get("/sparql", params=asked)).status_code == 200


async def test_a_space_in_a_string_is_kept(seen: Seen) -> None:
    query = 'SELECT\u00a0(STRLEN("a\u00a0b") AS ?n) (ENCODE_FOR_URI("\u00a0") AS ?e) {}'
    answer = await seen.client.get("/sparql", params={"query": query, "format": "csv"})
    assert answer.text.split() == ["n,e", "3,%C2%A0"]
