"""The application: routers, error answers and the watch for new publications."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import date

from fastapi import FastAPI
from starlette.routing import BaseRoute

from thc_graph.instance.service import Service
from thc_graph.web.http.headers import Lists
from thc_graph.web.http.logs import Witness
from thc_graph.web.http.packing import Packing
from thc_graph.web.http.quotas import Quotas
from thc_graph.web.http.responses import SECURITY, Frame, civil_date
from thc_graph.web.http.routing import forgive_slashes
from thc_graph.web.http.sharing import SHARED, Sharing
from thc_graph.web.pages import (
    agenda,
    dashboards,
    entities,
    entity_parts,
    figures,
    home,
    lists,
    maps,
    notices,
    problem,
    search,
    vocabulary,
)
from thc_graph.web.rendering.templates import Pages
from thc_graph.web.serving import health, statics, wellknown
from thc_graph.web.serving.metrics import Metrics
from thc_graph.web.serving.warming import Warming, Warmth
from thc_graph.web.sparql import description, endpoint, examples

log = logging.getLogger("thc_graph.web")


def create_app(service: Service, today: Callable[[], date] = civil_date) -> FastAPI:
    """Return the application over a service, which it starts and stops.

    `today` is its calendar: some pages are other ones on another day.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        _warn(service)
        watching = asyncio.create_task(_watch(service, app.state.metrics, app.state.warmth))
        async with AsyncExitStack() as beside:
            for companion in app.state.companions:
                await beside.enter_async_context(companion())
            yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await service.stop()

    app = FastAPI(
        title=service.settings.title,
        routes=_routes(),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.service = service
    app.state.companions = []  # what else lives as long as it: context managers
    app.state.today = today
    app.state.pages = Pages(service.settings, _kinds(service))
    app.state.quotas = Quotas(service.settings)
    app.state.metrics = Metrics(service)
    app.state.warmth = Warmth()
    app.add_middleware(Packing)
    app.add_middleware(Warming, warmth=app.state.warmth)
    app.add_middleware(Sharing)
    app.add_middleware(Frame)
    app.add_middleware(Witness, observe=app.state.metrics.observe)
    app.add_middleware(Lists)
    forgive_slashes(app.router)
    problem.install(app, SECURITY | SHARED)
    return app


def _kinds(service: Service) -> set[str]:
    return {shape.kind for shape in service.schema.listed() if shape.kind}


def _routes() -> list[BaseRoute]:
    routers = (
        statics.router,
        wellknown.router,
        health.router,
        endpoint.router,
        notices.router,
        home.router,
        lists.router,
        search.router,
        dashboards.router,
        agenda.router,
        maps.router,
        figures.router,
        examples.router,
        description.router,
        entities.router,
        entity_parts.router,
        vocabulary.router,
        lists.last_router,
    )
    return [route for router in routers for route in router.routes]


def _warn(service: Service) -> None:
    """Say at the start what the machine does not allow."""
    if not service.published.pool.state().network_cut:
        log.warning("This machine does not let us cut the network of query processes.")


async def _watch(service: Service, metrics: Metrics, warmth: Warmth) -> None:
    """Look for a newer publication, for as long as the application runs."""
    while True:
        await asyncio.sleep(service.settings.refresh_seconds)
        try:
            await service.refresh(warmth.make)
        except Exception:
            metrics.refresh_faults.inc()
            log.exception("The newest snapshot cannot be opened; the former one is served.")
