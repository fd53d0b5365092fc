"""The application behind the editors' port: queries, updates and graphs, each with a token."""

from fastapi import FastAPI
from starlette.requests import Request

from thc_graph.errors import EditRefused
from thc_graph.settings import Resources
from thc_graph.store.desk import Desk
from thc_graph.web import editing, graphstore, problems, sparql
from thc_graph.web.editing import Door
from thc_graph.web.headers import Lists
from thc_graph.web.logs import Witness
from thc_graph.web.responses import OWN, SECURITY, Frame
from thc_graph.web.routing import forgive_slashes
from thc_graph.writing import Writing


def create_editors(public: FastAPI, files: Resources | None = None) -> FastAPI:
    """Return the application behind the editors' port; the public one starts all they need.

    `files` are the schema and the queries of what is written: the product's own, unless told.
    """
    asking = sparql.router.guarded(_may_read)
    app = FastAPI(
        routes=[*asking.routes, *editing.router.routes, *graphstore.router.routes],
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
    problems.install(app, SECURITY | OWN)
    app.add_exception_handler(EditRefused, editing.refused)
    return app


async def _may_read(request: Request) -> None:
    """Let a reader's query pass, over all that was written here."""
    await editing.bearer(request, "read")
    door: Door = request.app.state.door
    await door.catch_up()
