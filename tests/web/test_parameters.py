"""What an address knows names its answer; what it does not know changes nothing."""

from collections.abc import AsyncIterator

import httpx
import pytest

from thc_graph.instance.service import Service, open_service
from thc_graph.instance.settings import read_settings
from thc_graph.store.writes.repository import Repository
from thc_graph.web.http.routing import Parameters
from visiting import visiting

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def served(demo: Repository) -> Service:
    return open_service(read_settings(demo.root))


@pytest.fixture(scope="module")
async def visitor(served: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with visiting(served) as client:
        yield client


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("", ""),
        ("x=1&utm_source=a", ""),
        ("page=2&x=1", "page=2"),
        ("page=1&page=2", "page=2"),
        ("tri=nom&page=2", "page=2&tri=nom"),
        ("page=&tri=", ""),
        ("b=2&a=1&b=1&b=2&b=", "a=1&b=1&b=2"),
        ("page=2&b=1", "b=1&page=2"),
        ("lang=en", "lang=en"),
        ("lang=xx", ""),
        ("lang=fr&lang=en&x", "lang=en"),
        ("q=%C3%A9t%C3%A9&q=caf%e9", "q=caf%EF%BF%BD"),
        ("PAGE=2&page%3D=2", ""),
    ],
)
async def test_an_address_has_one_way_to_be_written(given: str, canonical: str) -> None:
    asks = Parameters(("q", "page", "tri"), ("b", "a"))
    assert asks.canonical({"query_string": given.encode()}) == canonical.encode()


ADDRESSES = [
    "/",
    "/commune?page=2",
    "/commune?departement=departement%2F68",
    "/engagement?statutCourant=en-cours&tri=date",
    "/voc",
    "/recherche?q=mulhouse",
    "/recherche.json?q=mulhouse",
    "/recherche/suggestions?q=mul",
    "/tableau-de-bord?echeance=bientot",
    "/tableau-de-bord/statuts.svg",
    "/agenda",
    "/carte?nature=engagement",
    "/ligne-de-temps",
    "/schema",
    "/sparql/exemples",
    "/doc/commune/68224",
    "/doc/commune/68224.ttl",
    "/doc/commune/68224/historique",
    "/doc/commune/68224.geojson",
    "/voc/ns",
    "/engagement.csv",
    "/tableau-de-bord.csv?echeance=bientot",
    "/agenda.ics",
    "/sparql?query=ASK%20%7B%7D&format=html",
]


@pytest.mark.parametrize("address", ADDRESSES)
async def test_what_no_route_knows_changes_nothing(
    visitor: httpx.AsyncClient, served: Service, address: str
) -> None:
    headers = {"Accept": "text/html, */*;q=0.5"}
    first = await visitor.get(address, headers=headers)
    assert first.status_code == 200
    entries = [len(cache) for cache in served.published.caches]
    mark = "&" if "?" in address else "?"
    for more in ("x=1", "utm_source=a&utm_source=b", "lang=zz", f"{'y' * 300}=z", "page%00=1"):
        again = await visitor.get(f"{address}{mark}{more}", headers=headers)
        assert again.content == first.content, more
        assert again.headers["etag"] == first.headers["etag"], more
    assert [len(cache) for cache in served.published.caches] == entries
