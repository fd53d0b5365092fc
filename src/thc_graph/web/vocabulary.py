"""Words over HTTP: the terms of https://w3id.org/thc/ are documented where they are named.

A term `ns#Engagement` is at `/voc/ns/Engagement`, a concept `theme/opengov` at
`/voc/theme/opengov`.
"""

from fastapi import APIRouter, Request, Response

from thc_graph.rdf.terms import THC, VOCABULARY
from thc_graph.web.entities import Reading, first, page, split

router = APIRouter()


@router.api_route("/voc/{rest:path}", methods=["GET", "HEAD"])
async def term(rest: str, request: Request, reading: Reading) -> Response:
    path, media_type = split(rest)
    return await first(request, reading, f"/voc/{path}", _terms(path), media_type, page)


def _terms(path: str) -> list[str]:
    """Return the IRIs an address of `/voc/` may stand for; a scheme's ends with a slash."""
    space, _, name = path.partition("/")
    if space == "ns" and name:
        return [THC + name]
    return [VOCABULARY + path, f"{VOCABULARY}{path}/"]
