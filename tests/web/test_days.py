"""What depends on today is another representation at midnight in Paris, and nothing else is."""

from datetime import date

import httpx
import pytest
from tests.web.pages.test_entities import COMMITMENT, PLAN, TERRITORY, on

from thc_graph.store.writes.repository import Repository

pytestmark = pytest.mark.anyio

DAILY = (
    "/",
    "/tableau-de-bord",
    "/tableau-de-bord?embed=1",
    "/tableau-de-bord.csv",
    "/tableau-de-bord/echeances.svg",
    "/agenda",
    "/agenda?periode=passe",
    COMMITMENT,
    TERRITORY,
    f"/doc/plan/{PLAN}",
    "/doc/gap/exemple-jardin-des-tilleuls",
    "/doc/serie/visites",
)
LASTING = (
    "/engagement",
    "/engagement.csv",
    "/agenda.ics",
    "/carte",
    "/carte.geojson",
    "/schema",
    f"{COMMITMENT}.ttl",
    f"{TERRITORY}.jsonld",
    "/doc/methode/budget-participatif",
)


async def tags(client: httpx.AsyncClient) -> dict[str, str]:
    headers = {"Accept": "text/html, */*;q=0.5"}
    found = {}
    for path in (*DAILY, *LASTING):
        answer = await client.get(path, headers=headers)
        assert answer.status_code == 200, path
        again = await client.get(path, headers={**headers, "If-None-Match": answer.headers["etag"]})
        head = await client.head(path, headers=headers)
        assert (again.status_code, again.content, head.content) == (304, b"", b""), path
        assert head.headers["etag"] == again.headers["etag"] == answer.headers["etag"], path
        assert "Accept" in answer.headers["vary"], path
        found[path] = answer.headers["etag"]
    return found


async def test_only_what_depends_on_today_changes_overnight(demo: Repository) -> None:
    async with on(demo, date(2026, 6, 30)) as client:
        before = await tags(client)
    async with on(demo, date(2026, 7, 1)) as client:
        after = await tags(client)
    assert {path for path in before if before[path] != after[path]} == set(DAILY)


@pytest.mark.parametrize(
    ("day", "midnight"),
    [
        (date(2096, 1, 15), "Sat, 14 Jan 2096 23:00:00 GMT"),
        (date(2096, 7, 15), "Sat, 14 Jul 2096 22:00:00 GMT"),
    ],
)
async def test_the_day_begins_at_midnight_in_paris(
    demo: Repository, day: date, midnight: str
) -> None:
    async with on(demo, day) as client:
        answer = await client.get("/agenda", headers={"Accept": "text/html"})
    assert answer.headers["last-modified"] == midnight
