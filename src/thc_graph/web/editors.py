"""The application behind the editors' port: queries, updates and graphs, each with a token."""

from fastapi import FastAPI
from starlette.requests import Request

from thc_graph.errors import EditRefused
from thc_graph.store.desk import Desk
from thc_graph.store.publication import Repository
from thc_graph.web import editing, graphstore, problems, sparql
from thc_graph.web.editing import Door
from thc_graph.web.logs import Witness
from thc_graph.web.responses import Frame


def create_editors(public: FastAPI, repository: Repository) -> FastAPI:
    """Return the application behind the editors' port; the public one starts their service."""
    asking = sparql.router.guarded(_may_read)
    app = FastAPI(
        routes=[*asking.routes, *editing.router.routes, *graphstore.router.routes],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state = public.state
    settings = public.state.service.settings
    desk = Desk(repository.root, settings.update_seconds, settings.memory)
    app.state.door = Door(public.state.service, repository, desk)
    app.add_middleware(Frame)
    app.add_middleware(Witness, observe=public.state.metrics.observe)
    problems.install(app)
    app.add_exception_handler(EditRefused, editing.refused)
    return app


async def _may_read(request: Request) -> None:
    """Let a reader's query pass, over all that was written here."""
    await editing.bearer(request, "read")
    door: Door = request.app.state.door
    await door.catch_up()
