"""Style sheets and icons: kept for ever under the address that bears their content's hash."""

import httpx
import pytest

from thc_graph.web import assets

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", ["thc.css", "icone.svg"])
async def test_an_address_with_a_hash_is_kept_for_ever(
    client: httpx.AsyncClient, name: str
) -> None:
    answer = await client.get(assets.address(name))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, assets.FOR_EVER)


async def test_an_address_without_a_hash_is_asked_anew(client: httpx.AsyncClient) -> None:
    answer = await client.get("/static/thc.css")
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_missing_file_is_not_kept(client: httpx.AsyncClient) -> None:
    answer = await client.get("/static/no-such.css?v=0")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("cache-control", "")


async def test_pages_use_the_addresses_with_a_hash(client: httpx.AsyncClient) -> None:
    page = await client.get("/", headers={"Accept": "text/html"})
    assert assets.address("thc.css") in page.text
