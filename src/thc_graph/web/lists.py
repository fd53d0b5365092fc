"""The home page, and the list of each kind of entity."""

from typing import Any

from fastapi import APIRouter, Request, Response

from thc_graph import lists
from thc_graph.service import Published
from thc_graph.web.entities import HTML, Reading
from thc_graph.web.negotiation import choose
from thc_graph.web.problems import Problem
from thc_graph.web.rendering import language_of, pages_of
from thc_graph.web.responses import represent

router = APIRouter()
last_router = APIRouter()  # `/{kind}` takes what no other address has


@router.api_route("/", methods=["GET", "HEAD"])
async def home(request: Request, reading: Reading) -> Response:
    counts = await lists.counts(reading)
    return _page(request, reading, "home.html", counts=counts)


@router.api_route("/voc", methods=["GET", "HEAD"])
async def vocabularies(request: Request, reading: Reading) -> Response:
    return await members(lists.VOCABULARIES, request, reading)


@last_router.api_route("/{kind}", methods=["GET", "HEAD"])
async def members(kind: str, request: Request, reading: Reading) -> Response:
    number = request.query_params.get("page", "1")
    told = language_of(request)
    if not number.isdecimal():
        raise Problem(404, "NotFound")
    found = await lists.page(reading, kind, int(number), language=told)
    if found is None:
        raise Problem(404, "NotFound")
    shape = lists.shape_of(reading.schema, kind)
    return _page(request, reading, "list.html", page=found, shape=shape)


def _page(request: Request, reading: Published, template: str, **given: Any) -> Response:
    if choose(request.headers.get("accept", ""), (HTML,)) is None:
        raise Problem(406, "NotAcceptable", {"offered": (HTML,)})
    told = language_of(request)
    content = pages_of(request).render(template, request, told, **given)
    return represent(request, reading, content, HTML, language=told)
