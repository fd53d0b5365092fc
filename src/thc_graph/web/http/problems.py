"""Problems: one table from errors to statuses, told to machines or to people.

Machines get `application/problem+json` (RFC 9457), browsers a page. Neither ever
shows a path, a version or a trace of this machine.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from thc_graph import errors
from thc_graph.web.http.logs import request_id

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
