"""The application behind the editors' port: queries, updates and graphs, each with a token."""

from fastapi import Depends, FastAPI, Request

from thc_graph.errors import EditRefused
from thc_graph.store.desk import Desk
from thc_graph.store.publication import Repository
from thc_graph.web import editing, graphstore, problems, sparql
from thc_graph.web.editing import Door
from thc_graph.web.logs import Witness
from thc_graph.web.responses import Frame


def create_editors(public: FastAPI, repository: Repository) -> FastAPI:
    """Return the application behind the editors' port; the public one starts their service."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state = public.state
    settings = public.state.service.settings
    desk = Desk(repository.root, settings.update_seconds, settings.memory)
    app.state.door = Door(public.state.service, repository, desk)
    app.add_middleware(Frame)
    app.add_middleware(Witness, observe=public.state.metrics.observe)
    problems.install(app)
    app.add_exception_handler(EditRefused, editing.refused)
    reading = [Depends(editing.bearing("read")), Depends(_caught_up)]
    app.include_router(sparql.router, dependencies=reading)
    app.include_router(editing.router)
    app.include_router(graphstore.router)
    return app


async def _caught_up(request: Request) -> None:
    door: Door = request.app.state.door
    await door.catch_up()
