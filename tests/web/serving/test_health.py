"""Health as a load balancer, Prometheus and a reader of logs meet it."""

import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from engines import PUBLISHED
from thc_graph.instance.service import LAG, Service
from thc_graph.web.app import create_app
from thc_graph.web.http.logs import Lines

pytestmark = pytest.mark.anyio

Limited = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
SERVICE = re.compile(r"[0-9a-f]{16}")


async def test_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).text == "ok\n"
    assert (await client.get("/readyz")).text == "ok\n"


async def test_a_service_without_a_snapshot_is_up_and_not_ready(service: Service) -> None:
    not_started = Service(service.settings, service.schema, service.library)
    transport = httpx.ASGITransport(create_app(not_started))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/healthz")).status_code == 200
        refused = await client.get("/readyz", headers={"Accept-Language": "en"})
    assert (refused.status_code, refused.text[:3]) == (503, "no:")


async def test_a_stopping_service_says_no_and_still_answers(
    client: httpx.AsyncClient, service: Service
) -> None:
    service.draining = True
    try:
        refused = await client.get("/readyz", headers={"Accept-Language": "en"})
        assert (refused.status_code, refused.text) == (503, "no: the service is stopping\n")
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/commune")).status_code == 200
    finally:
        service.draining = False


async def test_a_history_ahead_of_what_is_served(
    client: httpx.AsyncClient, service: Service
) -> None:
    folder = service.settings.store / "history"
    folder.mkdir()
    head = folder / "HEAD"
    head.write_text("beef" * 16)
    try:
        assert (await client.get("/readyz")).status_code == 200  # a publication takes its time
        late = time.time() - LAG - 1
        os.utime(head, (late, late))
        refused = await client.get("/readyz")
        assert (refused.status_code, refused.text[:3]) == (503, "non")
        assert str(service.settings.store) not in refused.text
    finally:
        head.unlink()
        folder.rmdir()


async def test_a_lane_without_a_living_child(limited: Limited) -> None:
    async with limited() as client:
        pool = client._transport.app.state.service.published.pool  # type: ignore[attr-defined]
        for room in pool.pool._lanes.values():
            room.drain()
        refused = await client.get("/readyz")
        assert refused.status_code == 503
        assert len(refused.text.splitlines()) == 2


def measured(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_measures(limited: Limited) -> None:
    async with limited() as client:
        for _ in range(2):
            await client.get("/doc/commune/68224", headers={"Accept-Encoding": "identity"})
        for n in range(20):
            await client.get(f"/doc/commune/none-{n}")
        await client.request("BREW", "/")
        await client.get("/sparql", params={"query": "ASK {}"})
        response = await client.get("/metrics")
        found = measured(response.text)
    assert response.headers["content-type"].startswith("text/plain; version=")
    name = "thc_requests_total"
    assert found[name, "GET", "/doc/{kind}/{name}", "200"] == 2
    assert found[name, "GET", "/doc/{kind}/{name}", "404"] == 20
    assert {key[1] for key in found if key[0] == name} == {"GET", "other"}
    assert found["thc_pool_queries_ended_total", "answered", "public"] == 1
    assert found["thc_cache_lookups_total", "yes"] == 1
    assert found["thc_ready",] == 1
    assert found["thc_snapshot_commit",] == int(PUBLISHED[:12], 16)
    assert len(found) < 150


async def test_measures_are_not_for_everyone(limited: Limited) -> None:
    async with limited(metrics_from=("192.0.2.0/24",)) as client:
        assert (await client.get("/metrics")).status_code == 404


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """Give the log lines of the requests, as they would stand on stderr."""
    found: list[dict[str, Any]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(Lines().format(record)))

    log, keep = logging.getLogger("thc_graph"), Keep()
    requests = logging.getLogger("thc_graph.requests")
    log.addHandler(keep)
    requests.setLevel(logging.INFO)
    yield found
    log.removeHandler(keep)
    requests.setLevel(logging.NOTSET)


async def test_one_line_a_request(client: httpx.AsyncClient, lines: list[dict[str, Any]]) -> None:
    query = 'SELECT ?x { VALUES ?x { "Jeanne Exemple" } }'
    response = await client.get("/sparql", params={"query": query})
    (line,) = lines
    assert SERVICE.fullmatch(line["request"])
    assert line["request"] == response.headers["x-request-id"]
    assert line["query"]["bytes"] == len(query)
    assert line["client"] == "127.0.0.0"
    assert (line["method"], line["route"], line["status"]) == ("GET", "/sparql", 200)
    assert line["bytes"] == len(response.content)
    assert "Jeanne" not in json.dumps(line)


async def test_a_line_stays_one_line(
    client: httpx.AsyncClient, lines: list[dict[str, Any]]
) -> None:
    await client.get("/doc/commune/%0A%7B%1B[31m" + "x" * 3000)
    (line,) = lines
    assert len(line["path"]) == 300
    assert "\n" not in Lines().format(logging.makeLogRecord({"msg": "a\nb"}))


@pytest.mark.parametrize(
    ("trusted", "given", "kept"),
    [
        (("127.0.0.1/32",), "abc-123", True),
        (("127.0.0.1/32",), "abc 123", False),
        (("127.0.0.1/32",), "x" * 65, False),
        ((), "abc-123", False),
    ],
)
async def test_a_request_id_is_taken_from_a_trusted_proxy_only(
    limited: Limited, trusted: tuple[str, ...], given: str, *, kept: bool
) -> None:
    async with limited(trusted_proxies=trusted) as client:
        response = await client.get("/healthz", headers={"X-Request-Id": given})
    assert (response.headers["x-request-id"] == given) is kept


async def test_a_fault_is_found_by_its_reference(
    client: httpx.AsyncClient,
    lines: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("thc_graph.lists.addresses.read", None)
    response = await client.get("/commune", headers={"Accept": "application/json"})
    reference = response.json()["reference"]
    assert response.headers["x-request-id"] == reference
    assert {line["request"] for line in lines} == {reference}
    assert [line["status"] for line in lines if "status" in line] == [500]
    assert any("TypeError" in line.get("trace", "") for line in lines)


@pytest.mark.parametrize("path", ["/mentions-legales", "/limites"])
@pytest.mark.parametrize("language", ["fr", "en"])
async def test_notices(limited: Limited, path: str, language: str) -> None:
    names = {"publisher": "Ville d’Exemple", "host": "Hébergeur & Cie", "contact": "a@exemple.fr"}
    async with limited(**names, seconds=7.0) as client:
        page = (await client.get(path, params={"lang": language})).text
    assert f'href="{path}?lang={language}"' in page  # the footer's link
    assert ("Hébergeur &amp; Cie" in page) or path == "/limites"
    assert (f"7 {'secondes' if language == 'fr' else 'seconds'}" in page) == (path == "/limites")
