"""Graphs, one at a time: SPARQL 1.1 Graph Store HTTP Protocol, at the editors' door.

`/graph?graph=IRI` and `/graph?default` name a graph; so does `/graph/{name}`, for the
graph of that name under our base, whatever host the request came to (section 4).
"""

import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from pyoxigraph import NamedNode
from starlette.requests import Request
from starlette.responses import Response

from thc_graph.people.tokens import Token
from thc_graph.rdf import formats, iris
from thc_graph.store.writes.updates import EMPTY, Condition, Edit, names
from thc_graph.web.editors.updates import bearer, headers_of
from thc_graph.web.http import bodies
from thc_graph.web.http.negotiation import choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import with_charset
from thc_graph.web.http.routing import Router

if TYPE_CHECKING:
    from thc_graph.instance.writing import Door

MULTIPART: Final = "multipart/form-data"
MESSAGES: Final = {
    "put": "Graphe remplacé : {graph}",
    "post": "Graphe complété : {graph}",
    "delete": "Graphe retiré : {graph}",
}

router = Router()


@router.get("/graph", asks=None)
@router.get("/graph/{name:path}", asks=None)
async def get(request: Request) -> Response:
    """Give a graph (section 5.2)."""
    await bearer(request, "read")
    door: Door = request.app.state.door
    graph = _graph(request)
    media_type = choose(request.headers.get("accept", ""), formats.GRAPHS)
    if media_type is None:
        raise Problem(406, "NotAcceptable", {"offered": formats.GRAPHS})
    content, digest = await door.read(graph, media_type)
    if digest is None and graph is not None:
        raise Problem(404, "NotFound")
    suffix = next(each.suffix for each in formats.GRAPH_FORMATS if each.media_type == media_type)
    headers = {
        "ETag": f'"{digest or EMPTY}.{suffix}"',
        "Vary": "Accept, Authorization",
        "Cache-Control": "private, no-cache",
    }
    if names(_digests(request, "if-none-match") or (), digest):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=with_charset(media_type), headers=headers)


@router.put("/graph")
@router.put("/graph/{name:path}")
async def put(request: Request) -> Response:
    """Replace a graph (section 5.3); 201 where there was none."""
    token = await bearer(request, "write")
    return await _write(request, token, "put", _graph(request))


@router.post("/graph")
@router.post("/graph/{name:path}")
async def post(request: Request) -> Response:
    """Complete a graph, or make a new one where the request names none (section 5.5)."""
    token = await bearer(request, "write")
    if request.url.query or request.path_params.get("name"):
        return await _write(request, token, "post", _graph(request))
    door: Door = request.app.state.door
    made = iris.graph(door.base, f"edition/{uuid.uuid4()}").value
    response = await _write(request, token, "post", made)
    response.headers["Location"] = made
    return response


@router.delete("/graph")
@router.delete("/graph/{name:path}")
async def delete(request: Request) -> Response:
    """Remove a graph (section 5.4); 404 where there was none."""
    token = await bearer(request, "write")
    return await _write(request, token, "delete", _graph(request))


async def _write(request: Request, token: Token, kind: str, graph: str | None) -> Response:
    door: Door = request.app.state.door
    body, facts = (b"", dict[str, Any]()) if kind == "delete" else await _document(request)
    base = graph or f"{door.base}/"
    asked = {"kind": kind, "graph": graph, "base": base, **facts}
    message = MESSAGES[kind].format(graph=graph or "par défaut")
    written = await door.write(Edit(asked, body, _condition(request)), token, message)
    if kind == "delete" and graph is not None and not written.existed:
        raise Problem(404, "NotFound")
    status = 201 if kind != "delete" and graph is not None and not written.existed else 204
    return Response(status_code=status, headers=headers_of(written))


async def _document(request: Request) -> tuple[bytes, dict[str, Any]]:
    """Return the body and what the child needs to read it."""
    media_type = bodies.media_type(request)
    if media_type not in (*formats.GRAPHS, MULTIPART):
        raise Problem(415, "UnsupportedType", {"offered": (*formats.GRAPHS, MULTIPART)})
    content_type = request.headers.get("content-type", "")
    body = await bodies.read(request, request.app.state.service.settings.update_size)
    return body, {"media_type": media_type, "content_type": content_type}


def _graph(request: Request) -> str | None:
    """Return the name of the graph, None for the default one."""
    name = request.path_params.get("name")
    parameters = parse_qsl(request.url.query, keep_blank_values=True)
    graphs = [value for key, value in parameters if key == "graph"]
    is_default = any(key == "default" for key, _ in parameters)
    if bool(name) + is_default + len(graphs) != 1:
        raise Problem(400, "OneGraph")
    if is_default:
        return None
    door: Door = request.app.state.door
    try:
        return (iris.graph(door.base, name) if name else NamedNode(graphs[0])).value
    except ValueError as fault:
        raise Problem(400, "OneGraph") from fault


def _condition(request: Request) -> Condition:
    match, none_match = (_digests(request, name) for name in ("if-match", "if-none-match"))
    return Condition(match, none_match)


def _digests(request: Request, name: str) -> list[str] | None:
    """Return the graphs that validators name, in whatever syntax they were read."""
    header = request.headers.get(name)
    if header is None:
        return None
    tags = (each.strip().removeprefix("W/").strip('"') for each in header.split(","))
    return [tag.partition(".")[0] for tag in tags]
