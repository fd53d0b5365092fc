"""The page of a problem, and its form for machines (RFC 9457)."""

from collections.abc import Mapping
from functools import partial

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from thc_graph import errors
from thc_graph.web.http.negotiation import choose
from thc_graph.web.http.problems import JSON, NOT_FOUND, TOLD, Problem, problem_of
from thc_graph.web.http.visit import language_of, pages_of
from thc_graph.web.pages import missing
from thc_graph.web.rendering.templates import Pages
from thc_graph.web.rendering.terms import number


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
