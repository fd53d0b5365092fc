"""Problems: one table from errors to statuses, told to machines or to people.

Machines get `application/problem+json` (RFC 9457), browsers a page. Neither ever
shows a path, a version or a trace of this machine.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from thc_graph import errors
from thc_graph.web.http.logs import request_id
from thc_graph.web.http.negotiation import choose
from thc_graph.web.pages import missing
from thc_graph.web.rendering.templates import Pages, language_of, pages_of
from thc_graph.web.rendering.terms import number

JSON: Final = "application/problem+json"
NOT_FOUND: Final = 404
GONE: Final = 499  # nobody is there to read it; it stands in the log
STATUS: Final[dict[type[Exception], int]] = {
    errors.QuerySyntaxError: 400,
    errors.QueryTooComplex: 400,
    errors.FunctionUnknown: 400,
    errors.QueryForbidden: 403,
    errors.QueryNotAcceptable: 406,
    errors.QueryTooLarge: 413,
    errors.QueryFailed: 503,
    errors.QueryTimeout: 503,
    errors.RemoteTimeout: 504,
    errors.RemoteUnreachable: 502,
    errors.RemoteWrong: 502,
    errors.QueueFull: 503,
    errors.StoreMissing: 503,
    errors.StoreLocked: 503,
    errors.StoreFull: 507,
    errors.DraftOutdated: 503,
    errors.EditForbidden: 403,
    errors.EditConflict: 412,
    errors.EditNameless: 422,
    errors.EditTooLarge: 409,
    errors.DocumentError: 400,
}
RETRY_AFTER: Final = 1  # seconds, where the error does not say
TOLD: Final = (
    "message",
    "line",
    "column",
    "seconds",
    "what",
    "limit",
    "memory",
    "graph",
    "offered",
    "reason",
    "hint",
)

log = logging.getLogger("thc_graph.web")


@dataclass
class Problem(Exception):
    """What HTTP itself has to refuse; `code` names its sentences in the catalogue."""

    status: int
    code: str
    facts: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def install(app: FastAPI, headers: Mapping[str, str]) -> None:
    """Answer every error of an application by this module.

    `headers` are those of each answer, for faults of ours, which pass no middleware.
    """
    app.add_exception_handler(Problem, answer)
    app.add_exception_handler(errors.ThcGraphError, answer)
    app.add_exception_handler(HTTPException, answer)
    app.add_exception_handler(Exception, partial(answer, more=headers))


async def answer(
    request: Request, error: Exception, more: Mapping[str, str] | None = None
) -> Response:
    problem = problem_of(error)
    pages, told = pages_of(request), language_of(request)
    wants = choose(request.headers.get("accept", ""), (JSON, "application/json", "text/html"))
    headers = {
        **(more or {}),
        **problem.headers,
        "Vary": "Accept, Accept-Language",
        "Cache-Control": "no-store",
    }
    sentences = sentences_of(pages, problem, told)
    if wants == "text/html":
        page = pages.render(
            "problem.html",
            request,
            told,
            problem=problem,
            sentences=sentences,
            words=missing.words(request.url.path),
            near=await missing.near(request, told) if problem.status == NOT_FOUND else (),
        )
        return Response(page, problem.status, headers, "text/html; charset=utf-8")
    body = {"type": "about:blank", **sentences, "status": problem.status, "code": problem.code}
    return JSONResponse({**problem.facts, **body}, problem.status, headers, JSON)


def problem_of(error: Exception) -> Problem:
    """Return the problem that stands for any error."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ClientDisconnect):
        return Problem(GONE, "Gone")
    if isinstance(error, HTTPException):
        code = _HTTP.get(error.status_code, "refused")
        return Problem(error.status_code, code, {}, dict(error.headers or {}))
    status = next((STATUS[each] for each in type(error).__mro__ if each in STATUS), None)
    if status is None:
        return _fault(error)
    facts = {name: value for name in TOLD if (value := getattr(error, name, None)) is not None}
    headers = {"Retry-After": str(_retry_after(error))} if status == _BUSY else {}
    return Problem(status, type(error).__name__, facts, headers)


_BUSY: Final = 503
_HTTP: Final[Mapping[int, str]] = {404: "NotFound", 405: "MethodNotAllowed", 406: "NotAcceptable"}


def _retry_after(error: Exception) -> int:
    return int(getattr(error, "retry_after", RETRY_AFTER))


def _fault(error: Exception) -> Problem:
    """Log a fault of ours under the request's id, and give the visitor that reference only."""
    reference = request_id()
    log.error("fault %s", reference, exc_info=error)
    return Problem(500, "Fault", {"reference": reference}, {"X-Request-Id": reference})


def sentences_of(pages: Pages, problem: Problem, told: str) -> dict[str, str]:
    """Return title and detail in the reader's language."""
    t = pages.translator(told)
    known = f"problem.{problem.code}.title" in pages.messages
    code = problem.code if known else "refused"
    facts = dict.fromkeys((*TOLD, "reference", "since"), "") | {
        name: _written(value, told) for name, value in problem.facts.items()
    }
    return {
        "title": t(f"problem.{code}.title"),
        "detail": t(f"problem.{code}.detail", **facts),
    }


def _written(value: object, told: str) -> object:
    """Return a fact as a sentence writes it."""
    if isinstance(value, int | float):
        return number(value, told)
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else value
