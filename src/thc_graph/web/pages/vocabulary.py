"""Words over HTTP: the terms of https://w3id.org/thc/ are documented where they are named.

A term `ns#Engagement` is at `/voc/ns/Engagement`, a concept `theme/opengov` at
`/voc/theme/opengov`.
"""

from pyoxigraph import NamedNode
from starlette.requests import Request
from starlette.responses import Response

from thc_graph.entities import describing, words
from thc_graph.instance.reading import Published
from thc_graph.lists import kinds
from thc_graph.rdf.iris import is_iri
from thc_graph.rdf.terms import THC, VOCABULARY
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.routing import Router
from thc_graph.web.http.visit import language_of, pages_of
from thc_graph.web.pages.entities import ASKS, Document, first, page, split
from thc_graph.web.pages.entity_parts import CITING, citing

router = Router()


async def everything(request: Request, reading: Published, asked: Document) -> bytes | None:
    """Return the whole ontology as one page to read."""
    entity = await describing.summary(reading, asked.iri, asked.language)
    if entity is None:
        return None
    pages, told = pages_of(request), asked.language
    classes = words.classes(reading.schema, told)
    return pages.render(
        "ontology.html",
        request,
        told,
        entity=entity,
        path=asked.path,
        classes=classes,
        listed=list(words.one_by_one(classes)),
        properties=words.properties(reading.schema, told),
    )


@router.get("/voc/{rest:path}/cite-par", asks=CITING)
async def cited(rest: str, request: Request, reading: Published) -> Response:
    for iri in filter(is_iri, _terms(rest)):
        entity = await describing.summary(reading, NamedNode(iri), language_of(request))
        if entity is not None:
            return await citing(request, reading, entity, kinds.VOCABULARIES)
    raise Problem(404, "NotFound")


@router.get("/voc/{rest:path}", asks=ASKS)
async def term(rest: str, request: Request, reading: Published) -> Response:
    path, media_type = split(rest)
    made = everything if path == "ns" else page
    return await first(request, reading, f"/voc/{path}", _terms(path), media_type, made)


def _terms(path: str) -> list[str]:
    """Return the IRIs an address of `/voc/` may stand for; a scheme's ends with a slash."""
    space, _, name = path.partition("/")
    if space == "ns" and name:
        return [THC + name]
    return [VOCABULARY + path, f"{VOCABULARY}{path}/"]
