"""The application behind the editors' port: queries, updates and graphs, each with a token."""

from fastapi import FastAPI
from starlette.requests import Request

from thc_graph.errors import EditRefused
from thc_graph.instance.settings import Resources
from thc_graph.instance.writing import Door, Writing
from thc_graph.store.writes.update_process import Desk
from thc_graph.web.editors import graphs, updates
from thc_graph.web.http.headers import Lists
from thc_graph.web.http.logs import Witness
from thc_graph.web.http.responses import OWN, SECURITY, Frame
from thc_graph.web.http.routing import forgive_slashes
from thc_graph.web.pages import problem
from thc_graph.web.sparql import endpoint


def create_editors(public: FastAPI, files: Resources | None = None) -> FastAPI:
    """Return the application behind the editors' port; the public one starts all they need.

    `files` are the schema and the queries of what is written: the product's own, unless told.
    """
    asking = endpoint.router.guarded(_may_read)
    app = FastAPI(
        routes=[*asking.routes, *updates.router.routes, *graphs.router.routes],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state = public.state
    settings = public.state.service.settings
    desk = Desk(settings.store, settings.update_seconds, settings.memory)
    writing = Writing(settings, files)
    app.state.door = Door(public.state.service, writing, desk)
    public.state.companions.append(app.state.door.open)
    app.add_middleware(Frame, is_shared=False)
    app.add_middleware(Witness, observe=public.state.metrics.observe)
    app.add_middleware(Lists)
    forgive_slashes(app.router)
    problem.install(app, SECURITY | OWN)
    app.add_exception_handler(EditRefused, updates.refused)
    return app


async def _may_read(request: Request) -> None:
    """Let a reader's query pass, over all that was written here."""
    await updates.bearer(request, "read")
    door: Door = request.app.state.door
    await door.catch_up()
