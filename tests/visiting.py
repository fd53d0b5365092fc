"""A service visited in this process, over the pool or over an engine elsewhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
from pyoxigraph import DefaultGraph, Literal, Quad, Store

from engines import Endpoint
from thc_graph.instance.service import Service
from thc_graph.store.snapshots import snapshot
from thc_graph.store.writes.mirror import HOLDS, Step, mark, request, union
from thc_graph.web.app import create_app


@asynccontextmanager
async def visiting(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of an application over a service."""
    app = create_app(service)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


def over(service: Service, address: str, **settings: Any) -> Service:
    """Return the same service over a remote engine."""
    changed = replace(service.settings, remote=address, **settings)
    return Service(changed, service.schema, service.library)


def fill(endpoint: Endpoint, service: Service, commit: str) -> None:
    """Let an engine hold what is published here, and the mark of a commit."""
    base = service.settings.base
    store = Store.read_only(str(snapshot.current(service.settings.store).quads))
    quads = [_there(quad, base) for quad in store]
    quads.append(Quad(mark(base), HOLDS, Literal(commit), mark(base)))
    update = {"update": request(Step(quad, held=True) for quad in quads)}
    answer = httpx.post(endpoint.update, data=update, auth=endpoint.auth or httpx.Auth())
    assert answer.is_success, answer.text


def _there(quad: Quad, base: str) -> Quad:
    return Quad(*quad.triple, union(base)) if quad.graph_name == DefaultGraph() else quad
