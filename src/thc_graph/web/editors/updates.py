"""The editors' door: SPARQL 1.1 Update, with a token, by the one way in.

Every request bears a token (RFC 6750). A write is worked out, validated, recorded and
published by the clerk (`writing`), one after the other; when it is answered, it can be read
here, and by visitors as soon as they see any publication.
"""

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from thc_graph.errors import EditRefused
from thc_graph.people import tokens
from thc_graph.people.tokens import Token
from thc_graph.rdf import formats
from thc_graph.rdf.changes import patch
from thc_graph.schema.reports import Violation, report
from thc_graph.store.writes import updates
from thc_graph.store.writes.permissions import Role
from thc_graph.store.writes.updates import Written
from thc_graph.web.http import bodies, problems
from thc_graph.web.http.negotiation import choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.routing import Router
from thc_graph.web.pages import problem
from thc_graph.web.sparql import endpoint

if TYPE_CHECKING:
    from thc_graph.instance.writing import Door

PATCH: Final = "application/rdf-patch"

router = Router()


async def bearer(request: Request, role: Role) -> Token:
    """Return the request's token.

    Raises:
        Problem: 401 where there is none, 403 where it may not do what `role` may.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise _unauthorised("")
    door: Door = request.app.state.door
    found = await asyncio.to_thread(tokens.bearer, door.service.settings.store, secret.strip())
    if found is None:
        raise _unauthorised(', error="invalid_token"')
    if not found.may(role):
        challenge = f'Bearer realm="thc-graph", error="insufficient_scope", scope="{role}"'
        raise Problem(403, "Role", {"what": role}, {"WWW-Authenticate": challenge})
    return found


def _unauthorised(error: str) -> Problem:
    return Problem(401, "Token", {}, {"WWW-Authenticate": f'Bearer realm="thc-graph"{error}'})


@router.post("/update")
async def update(request: Request) -> Response:
    """Take an update: SPARQL 1.1 Protocol, section 2.2."""
    token = await bearer(request, "write")
    door: Door = request.app.state.door
    parameters = await _parameters(request)
    texts = [value for name, value in parameters if name == "update"]
    if len(texts) != 1:
        raise Problem(400, "OneUpdate")
    using, using_named = (
        [value for name, value in parameters if name == wanted]
        for wanted in ("using-graph-uri", "using-named-graph-uri")
    )
    edit = await asyncio.to_thread(updates.update, texts[0], f"{door.base}/", using, using_named)
    written = await door.write(edit, token, "Mise à jour SPARQL")
    location = {"Location": f"/commits/{written.commit.id}"} if written.commit else {}
    return JSONResponse(_summary(written), headers={**headers_of(written), **location})


async def _parameters(request: Request) -> list[tuple[str, str]]:
    limit = request.app.state.service.settings.body_size
    media_type = bodies.media_type(request)
    if media_type not in (endpoint.FORM, endpoint.UPDATE):
        raise Problem(415, "UnsupportedType", {"offered": (endpoint.UPDATE, endpoint.FORM)})
    text = bodies.text(await bodies.read(request, limit))
    if media_type == endpoint.FORM:
        return parse_qsl(text, keep_blank_values=True)
    return [*parse_qsl(request.url.query, keep_blank_values=True), ("update", text)]


def _summary(written: Written) -> dict[str, Any]:
    commit = written.commit
    return {
        "commit": commit.id if commit else None,
        "added": commit.added if commit else 0,
        "removed": commit.removed if commit else 0,
        "warnings": [_told(each) for each in written.warnings],
    }


def headers_of(written: Written) -> dict[str, str]:
    """Return the headers that tell the commit of a write, where it changed something."""
    if not written.commit:
        return {}
    address = f"/commits/{written.commit.id}"
    return {"Thc-Commit": written.commit.id, "Link": f'<{address}>; rel="related"'}


@router.get("/commits/{id_}", asks=None)
async def commit(request: Request, id_: str) -> Response:
    """Tell what a commit is, or what it changed."""
    await bearer(request, "read")
    door: Door = request.app.state.door
    history = door.service.history
    if not re.fullmatch("[0-9a-f]{64}", id_) or not history.holds(id_):
        raise Problem(404, "NotFound")
    accept = request.headers.get("accept", "")
    if choose(accept, ("application/json", PATCH)) == PATCH:
        rows = await asyncio.to_thread(lambda: "\n".join(patch(history.change(id_))) + "\n")
        return Response(rows, media_type=PATCH)
    found = history.commit(id_)
    return JSONResponse({**vars(found), "sources": [vars(each) for each in found.sources]})


async def refused(request: Request, error: Exception) -> Response:
    """Answer a write that breaks rules with the SHACL report, in the syntax asked for."""
    assert isinstance(error, EditRefused)
    offered = (problems.JSON, "application/json", "text/html", *formats.GRAPHS)
    chosen = choose(request.headers.get("accept", ""), offered)
    form = formats.by_media_type(chosen or "")
    if form is not None:
        content = formats.write(report(error.violations), form, {"sh": _SH})
        return Response(content, 422, {"Vary": "Accept"}, form.media_type)
    told = [_told(each) for each in error.violations]
    return await problem.answer(request, Problem(422, "EditRefused", {"violations": told}))


_SH: Final = "http://www.w3.org/ns/shacl#"


def _told(violation: Violation) -> dict[str, Any]:
    return {
        "focus": violation.focus.value,
        "path": violation.path.value if violation.path else None,
        "value": str(violation.value) if violation.value else None,
        "severity": violation.severity.value.rpartition("#")[2],
        "message": {"fr": violation.message.fr, "en": violation.message.en},
        "shape": violation.shape.value if violation.shape else None,
    }
