"""A visit: what a request brings of its reader."""

from starlette.requests import Request

from thc_graph.web.http.negotiation import language
from thc_graph.web.rendering.templates import Pages


def pages_of(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def language_of(request: Request) -> str:
    """Return the language of a request's answer, "fr" or "en"."""
    asked = request.query_params.get("lang")
    return language(request.headers.get("accept-language", ""), asked)
