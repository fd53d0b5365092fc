"""The editors' door: SPARQL 1.1 Update, with a token, by the one way in.

Every request bears a token (RFC 6750). A write is worked out, validated, recorded and
published by the clerk (`writing`), one after the other; when it is answered, it can be read
here, and by visitors as soon as they see any publication.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from thc_graph.errors import EditRefused
from thc_graph.instance.service import Service
from thc_graph.instance.writing import Writing
from thc_graph.people import tokens
from thc_graph.people.tokens import Role, Token
from thc_graph.rdf import formats
from thc_graph.rdf.changes import patch
from thc_graph.schema.reports import Violation, report
from thc_graph.store.writes import updates
from thc_graph.store.writes.update_process import Desk
from thc_graph.store.writes.updates import Edit, Written
from thc_graph.web.http import bodies, problems
from thc_graph.web.http.negotiation import choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.routing import Router
from thc_graph.web.sparql import endpoint

PATCH: Final = "application/rdf-patch"

router = Router()


@dataclass
class Door:
    """What the writes of one instance share."""

    service: Service
    writing: Writing
    desk: Desk  # where graphs are read
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    written: int = 0  # publications made here
    served: int = 0  # and those of them that queries here see

    @property
    def base(self) -> str:
        return self.service.settings.base

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Have those at hand, meanwhile, who write and read for it."""
        async with self.writing:
            yield
        await asyncio.to_thread(self.desk.clear)

    async def write(self, edit: Edit, token: Token, message: str) -> Written:
        """Publish a write: see `Writing.write`."""
        written = await self.writing.write(edit, token, message)
        self.written += written.commit is not None
        return written

    async def read(self, graph: str | None, media_type: str) -> tuple[bytes, str | None]:
        """Return a graph and its digest: see `updates.read`."""
        async with self.turn:
            return await asyncio.to_thread(updates.read, self.desk, graph, media_type)

    async def catch_up(self) -> None:
        """Let queries see all that was written here; visitors see it by their own watch.

        So a run of writes opens one snapshot, at the next query, and not one for each.
        """
        written = self.written
        if self.served < written:
            await self.service.refresh()
            self.served = max(self.served, written)


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
    return await problems.answer(request, Problem(422, "EditRefused", {"violations": told}))


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
