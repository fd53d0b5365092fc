"""The application: routers, error answers and the watch for new publications."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse

from thc_graph.service import Service
from thc_graph.web import description, entities, lists, problems, sparql
from thc_graph.web.assets import Assets
from thc_graph.web.quotas import Quotas
from thc_graph.web.rendering import Pages
from thc_graph.web.responses import Frame

log = logging.getLogger("thc_graph.web")


def create_app(service: Service) -> FastAPI:
    """Return the application over a service, which it starts and stops."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        watching = asyncio.create_task(_watch(service))
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await service.stop()

    app = FastAPI(
        title=service.settings.title,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.service = service
    app.state.pages = Pages(service.settings, _kinds(service))
    app.state.quotas = Quotas(service.settings)
    app.add_middleware(Frame)
    problems.install(app)
    _route(app, service)
    return app


def _kinds(service: Service) -> set[str]:
    return {shape.kind for shape in service.schema.listed() if shape.kind}


def _route(app: FastAPI, service: Service) -> None:
    @app.api_route("/healthz", methods=["GET", "HEAD"])
    async def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @app.api_route("/readyz", methods=["GET", "HEAD"])
    async def readyz() -> Response:
        return PlainTextResponse("ok\n") if service.is_ready else PlainTextResponse("no\n", 503)

    app.mount("/static", Assets(), name="static")
    for router in (
        lists.router,
        sparql.router,
        description.router,
        entities.router,
        lists.last_router,
    ):
        app.include_router(router)


async def _watch(service: Service) -> None:
    """Look for a newer publication, for as long as the application runs."""
    while True:
        await asyncio.sleep(service.settings.refresh_seconds)
        try:
            await service.refresh()
        except Exception:
            log.exception("The newest snapshot cannot be opened; the former one is served.")
