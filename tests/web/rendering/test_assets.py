"""Style sheets, fonts and scripts: kept for ever under the name that bears their content's hash."""

import hashlib
import re
from urllib.parse import urljoin

import httpx
import pytest

from thc_graph.web.rendering import assets
from thc_graph.web.serving import statics

pytestmark = pytest.mark.anyio

NAMES = sorted(assets.names())
SHEETS = [name for name in NAMES if name.endswith(".css")]
PAGES = ["/", "/sparql", "/carte", "/commune", "/doc/commune/68224", "/tableau-de-bord"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_hashed_name_is_kept_for_ever(client: httpx.AsyncClient, name: str) -> None:
    address = assets.address(name)
    answer = await client.get(address)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, statics.FOR_EVER)
    assert hashlib.sha256(answer.content).hexdigest()[:12] in address
    again = await client.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["thc.css", "icone.svg"])
async def test_a_plain_name_is_asked_anew(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/static/{name}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    "path",
    [
        "/static/thc.000000000000.css",
        "/static/thc.css?v=000000000000",
        "/static/no-such.css",
        "/static/no-such.css?v=0",
        "/static/",
        "/static/.",
        "/static/vendor",
        "/static/..%2fassets.py",
        "/static/..%2f..%2f..%2f..%2fpyproject.toml",
        "/static/%2fetc%2fpasswd",
    ],
)
async def test_what_is_not_there_is_not_kept(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")


@pytest.mark.parametrize("path", PAGES)
async def test_pages_and_style_sheets_name_what_may_be_kept(
    demo_client: httpx.AsyncClient, path: str
) -> None:
    page = await demo_client.get(path, headers={"Accept": "text/html"})
    named = {each.partition("#")[0] for each in re.findall(r'"(/static/[^"]+)"', page.text)}
    assert assets.address("thc.css") in named
    for each in named:
        answer = await demo_client.get(each)
        assert answer.headers["cache-control"] == statics.FOR_EVER, each


@pytest.mark.parametrize("name", SHEETS)
async def test_a_style_sheet_names_files_by_their_hashes(
    client: httpx.AsyncClient, name: str
) -> None:
    sheet = assets.address(name)
    for each in re.findall(r"""url\(["']?([^"')]+)""", (await client.get(sheet)).text):
        if not each.startswith(("data:", "#")):
            answer = await client.get(urljoin(sheet, each))
            assert answer.headers["cache-control"] == statics.FOR_EVER, each
