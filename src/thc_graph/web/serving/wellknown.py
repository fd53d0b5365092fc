"""Well known: what programs look for at addresses that are the same on every site."""

import hashlib
from datetime import date, datetime, time, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from thc_graph.instance.settings import Settings
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import PARIS, is_fresh, today, with_charset
from thc_graph.web.http.routing import Router
from thc_graph.web.http.visit import pages_of
from thc_graph.web.rendering import assets

PLAIN: Final = "text/plain"
ICON: Final = "favicon.ico"
A_DAY: Final = "public, max-age=86400"
VALID: Final = timedelta(days=180)  # of security.txt; a year at most: RFC 9116, section 2.5.5

# What costs much and tells little: answers and searches, combinations of facets, histories.
COSTLY: Final = ("/sparql?", "/recherche?", "/recherche.json?", "/*?*&", "/doc/*/historique")

router = Router()


@router.get("/robots.txt")
async def robots(request: Request) -> Response:
    """Tell crawlers what to leave alone (RFC 9309): beside what is costly, whole lists as files."""
    lists = sorted(f"/{kind}." for kind in pages_of(request).kinds)
    lines = ["User-agent: *", *(f"Disallow: {each}" for each in (*COSTLY, *lists)), "Allow: /"]
    return _text(request, lines)


@router.get("/.well-known/security.txt")
async def security(request: Request) -> Response:
    """Tell whom to write to about a weakness: RFC 9116."""
    settings = pages_of(request).settings
    if not settings.contact:
        raise Problem(404, "NotFound")
    return _text(request, _security(settings, today(request)))


def _security(settings: Settings, day: date) -> list[str]:
    contact = settings.contact if ":" in settings.contact else f"mailto:{settings.contact}"
    return [
        f"Contact: {contact}",
        f"Expires: {datetime.combine(day + VALID, time(), PARIS).isoformat()}",
        "Preferred-Languages: fr, en",
        f"Canonical: {settings.base}/.well-known/security.txt",
    ]


@router.get("/favicon.ico")
async def favicon(request: Request) -> Response:
    found = assets.asset(ICON)
    return _kept(request, found.content, found.media_type)


def _text(request: Request, lines: list[str]) -> Response:
    return _kept(request, "".join(f"{line}\n" for line in lines).encode(), PLAIN)


def _kept(request: Request, content: bytes, media_type: str) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": A_DAY}
    if is_fresh(request, tag, None):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=with_charset(media_type), headers=headers)
