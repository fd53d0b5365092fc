"""Entities over HTTP: `/id/…` names the thing, `/doc/…` is what is said about it.

`/voc/…` is the same for the words of https://w3id.org/thc/: a term `ns#Engagement` is
at `/voc/ns/Engagement`, a concept `theme/opengov` at `/voc/theme/opengov`.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pyoxigraph import NamedNode

from thc_graph import entities, lists
from thc_graph.rdf import formats, iris
from thc_graph.rdf.terms import THC, VOCABULARY
from thc_graph.service import Published, Service
from thc_graph.web.negotiation import choose
from thc_graph.web.problems import Problem
from thc_graph.web.rendering import Pages, language_of, pages_of
from thc_graph.web.responses import represent

HTML: Final = "text/html"
FORMATS: Final = (*formats.GRAPH_FORMATS, *formats.DATASET_FORMATS)
OFFERED: Final = (HTML, *(each.media_type for each in FORMATS))

_RESERVED: Final = ":/%#?=@[]!$&'()*+,;"  # RFC 3986, section 2.2; the rest of an IRI is escaped

router = APIRouter()


async def published(request: Request) -> AsyncIterator[Published]:
    """Give the snapshot this request reads from its first to its last byte."""
    service: Service = request.app.state.service
    async with service.reading() as found:
        yield found


Reading = Annotated[Published, Depends(published)]


@dataclass(frozen=True)
class Document:
    """What an address of `/doc/` or `/voc/` asks for; `path` has no suffix."""

    path: str
    iri: NamedNode
    media_type: str
    language: str


@router.api_route("/id/{kind}/{key}", methods=["GET", "HEAD"])
async def thing(kind: str, key: str, request: Request) -> Response:
    """Send a reader on to what is said about a thing: W3C, Cool URIs, section 4.2."""
    address = request.url_for("document", kind=kind, name=key).path
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(address + query, 303)


@router.api_route("/doc/{kind}/{name}", methods=["GET", "HEAD"], name="document")
async def document(kind: str, name: str, request: Request, reading: Reading) -> Response:
    key, suffix = _split(name)
    base = request.app.state.service.settings.base
    return await _first(request, reading, f"/doc/{kind}/{key}", [f"{base}/id/{kind}/{key}"], suffix)


@router.api_route("/voc/{rest:path}", methods=["GET", "HEAD"])
async def term(rest: str, request: Request, reading: Reading) -> Response:
    path, suffix = _split(rest)
    return await _first(request, reading, f"/voc/{path}", _terms(path), suffix)


def _split(name: str) -> tuple[str, str | None]:
    """Return a name without its suffix, and the media type that the suffix stands for."""
    key, dot, suffix = name.rpartition(".")
    if dot and suffix == "html":
        return key, HTML
    form = formats.by_suffix(suffix) if dot else None
    return (key, form.media_type) if form else (name, None)


def _terms(path: str) -> list[str]:
    """Return the IRIs an address of `/voc/` may stand for; a scheme's ends with a slash."""
    space, _, name = path.partition("/")
    if space == "ns" and name:
        return [THC + name]
    return [VOCABULARY + path, f"{VOCABULARY}{path}/"]


async def _first(
    request: Request, reading: Published, path: str, named: Sequence[str], suffix: str | None
) -> Response:
    """Answer with the first of some IRIs about which something is published."""
    media_type = suffix or choose(request.headers.get("accept", ""), OFFERED)
    if media_type is None:
        raise Problem(406, "NotAcceptable", {"offered": OFFERED})
    for iri in filter(is_iri, named):
        asked = Document(path, NamedNode(iri), media_type, language_of(request))
        key = (path, request.url.query, iri, media_type, asked.language)
        content = await reading.page(key, partial(_content, request, reading, asked))
        if content is not None:
            told = asked.language if media_type == HTML else ""
            links = _links(request.app.state.service.settings.base, asked)
            return represent(request, reading, content, media_type, language=told, links=links)
    raise _absence(request, named)


def _moved(request: Request, asked: Document, target: str) -> Problem:
    """Return 301 towards what took the place of a former IRI, here in the format asked for."""
    if target.startswith("/"):
        target += str(request.scope["path"]).removeprefix(asked.path)
        target += f"?{request.url.query}" if request.url.query else ""
    return Problem(301, "Merged", {}, {"Location": quote(target, safe=_RESERVED)})


def _absence(request: Request, named: Sequence[str]) -> Problem:
    """Return 410 for what was erased, which says when and why, else 404."""
    service: Service = request.app.state.service
    for found in filter(None, map(service.tombstone, named)):
        return Problem(410, f"Withdrawn.{found.reason}", {"since": found.time[: len("2016-03-30")]})
    return Problem(404, "NotFound")


def is_iri(text: str) -> bool:
    try:
        NamedNode(text)
    except ValueError:
        return False
    return True


async def _content(request: Request, reading: Published, asked: Document) -> bytes | None:
    successor = await entities.replacement(reading, asked.iri)
    target = pages_of(request).local(successor.value) if successor else None
    if target:
        raise _moved(request, asked, target)
    form = formats.by_media_type(asked.media_type)
    if form is None:
        return await _page(request, reading, asked)
    found = await entities.triples(reading, asked.iri)
    return formats.write(found, form, {}) if found else None


async def _page(request: Request, reading: Published, asked: Document) -> bytes | None:
    entity = await entities.describe(reading, asked.iri, asked.language)
    if entity is None:
        return None
    pages, kind = pages_of(request), _kind(request, asked.iri)
    return pages.render(
        "entity.html",
        request,
        asked.language,
        entity=entity,
        path=asked.path,
        kind=kind,
        heading=_heading(pages, reading, kind, asked.language),
        query=entities.query_of(reading, asked.iri),
    )


def _kind(request: Request, iri: NamedNode) -> str:
    """Return the list an entity stands in."""
    found = iris.kind_and_key(iri.value, request.app.state.service.settings.base)
    return found[0] if found else lists.VOCABULARIES


def _heading(pages: Pages, reading: Published, kind: str, told: str) -> str:
    shape = lists.shape_of(reading.schema, kind)
    return shape.name.in_(told) if shape else pages.translator(told)("list.vocabularies")


def _links(base: str, asked: Document) -> dict[str, str]:
    """Return the Link header: RFC 8288, with the relations of RFC 6596 and 6892."""
    path = asked.path
    links = {
        f"{path}.{each.suffix}": f'rel="alternate"; type="{each.media_type}"' for each in FORMATS
    }
    return links | {
        f"{path}.html": f'rel="alternate"; type="{HTML}"',
        f"{base}{path}": 'rel="canonical"',
        asked.iri.value: 'rel="describes"',
        "/voc/ns": 'rel="describedby"',
    }
