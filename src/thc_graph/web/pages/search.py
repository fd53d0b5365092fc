"""Search over HTTP: `/recherche`, its suggestions, and its description for browsers.

Suggestions are OpenSearch Suggestions 1.0, the description OpenSearch 1.1.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

from pyoxigraph import Literal
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from thc_graph import quantities
from thc_graph.instance.reading import Published
from thc_graph.lists import kinds
from thc_graph.rdf.terms import PREFIXES
from thc_graph.search import places, questions
from thc_graph.search.index import Index
from thc_graph.search.questions import Found, Hit
from thc_graph.search.summaries import Place
from thc_graph.search.words import MAX_LENGTH
from thc_graph.web.files.forms import json_of
from thc_graph.web.http.negotiation import HTML, choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import represent
from thc_graph.web.http.routing import Parameters, Router
from thc_graph.web.http.visit import language_of, pages_of

router = Router()

PATH: Final = "/recherche"
JSON: Final = "application/json"
SUGGESTIONS: Final = "application/x-suggestions+json"
DESCRIPTION: Final = "application/opensearchdescription+xml"
OFFERED: Final = (HTML, JSON)
ASKS: Final = Parameters(("q", "dans", "page", "format"))


@dataclass(frozen=True)
class Answer:
    """What is found, and where the person may live."""

    found: Found
    homes: tuple[places.Home, ...]
    kind: str
    number: int

    @property
    def pages(self) -> int:
        total = sum(group.total for group in self.found.groups)
        return max(1, -(-total // questions.SIZE)) if self.kind else 1


@router.get(PATH, asks=ASKS)
async def search(request: Request, reading: Published) -> Response:
    media_type = choose(request.headers.get("accept", ""), OFFERED)
    if request.query_params.get("format") == "json":
        media_type = JSON
    if media_type is None:
        raise Problem(406, "NotAcceptable", {"offered": OFFERED})
    text = request.query_params.get("q", "").strip()[:MAX_LENGTH]
    kind, number = request.query_params.get("dans", ""), _number(request)
    told = language_of(request)
    by_name = not kind and media_type == HTML
    straight = await _straight(request, reading, text, told) if by_name else None
    if straight:
        return RedirectResponse(straight, 303, {"Vary": "Accept, Accept-Language"})
    make = partial(_content, request, reading, (text, kind, number), media_type)
    key = (PATH, request.url.query, media_type, told)
    content = await reading.page(key, make)
    links = {f"{PATH}.json?{urlencode({'q': text})}": f'rel="alternate"; type="{JSON}"'}
    links |= {f"{PATH}/description.xml": f'rel="search"; type="{DESCRIPTION}"'}
    return represent(request, reading, content, media_type, language=told, links=links)


@router.get(f"{PATH}.json", asks=ASKS)
async def as_json(request: Request, reading: Published) -> Response:
    text = request.query_params.get("q", "").strip()[:MAX_LENGTH]
    asked = (text, request.query_params.get("dans", ""), _number(request))
    make = partial(_content, request, reading, asked, JSON)
    key = (f"{PATH}.json", request.url.query, language_of(request))
    content = await reading.page(key, make)
    return represent(request, reading, content, JSON, language=language_of(request))


@router.get(f"{PATH}/suggestions", asks=Parameters(("q",)))
async def suggestions(request: Request, reading: Published) -> Response:
    text, told = request.query_params.get("q", ""), language_of(request)
    found = await reading.aside(partial(questions.suggest, reading.index, text, told))
    names = [place.label.value for place in found if place.label]
    kinds = [_kind_name(request, reading, each.kinds[0], told) for each in found if each.label]
    pages = [_page_of(request, place) for place in found if place.label]
    content = json_of([text, names, kinds, pages])
    return represent(request, reading, content, SUGGESTIONS, language=told)


@router.get(f"{PATH}/description.xml")
async def description(request: Request, reading: Published) -> Response:
    settings = request.app.state.service.settings
    root = ET.Element("OpenSearchDescription", xmlns="http://a9.com/-/spec/opensearch/1.1/")
    ET.SubElement(root, "ShortName").text = settings.title[:16]
    ET.SubElement(root, "LongName").text = settings.title[:48]
    ET.SubElement(root, "Description").text = settings.title
    ET.SubElement(root, "InputEncoding").text = "UTF-8"
    for media_type, path in (
        (HTML, PATH),
        (JSON, f"{PATH}.json"),
        (SUGGESTIONS, f"{PATH}/suggestions"),
    ):
        template = f"{settings.base}{path}?q={{searchTerms}}"
        ET.SubElement(root, "Url", type=media_type, template=template)
    content: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return represent(request, reading, content, DESCRIPTION)


def _number(request: Request) -> int:
    number = quantities.page(request.query_params.get("page", "1"))
    if number is None:
        raise Problem(404, "NotFound")
    return number


async def _straight(request: Request, reading: Published, text: str, told: str) -> str | None:
    """Return the page of the one thing whose code, IRI or short IRI was typed."""
    place = await reading.aside(partial(questions.jump, reading.index, _expanded(text), told))
    if place is None:
        return None
    page = _page_of(request, place)
    lang = request.query_params.get("lang")
    return f"{page}?lang={quote(lang)}" if lang else page


def _expanded(text: str) -> str:
    """Return the IRI that a short form such as `thc:Engagement` stands for."""
    prefix, colon, name = text.partition(":")
    known = colon and not name.startswith("//") and prefix in PREFIXES
    return f"{PREFIXES[prefix]}{name}" if known else text


def _page_of(request: Request, place: Place) -> str:
    return pages_of(request).local(place.iri) or place.iri


def _kind_name(request: Request, reading: Published, kind: str, told: str) -> str:
    shape = kinds.shape_of(reading.schema, kind)
    pages = pages_of(request)
    key = f"search.kind.{kind}"
    named = pages.translator(told)(key) if key in pages.messages else kind
    return shape.name.in_(told) if shape else named


def _answer(index: Index, text: str, kind: str, number: int, told: str) -> Answer:
    homes = () if kind else places.homes(index, text, told)
    said = places.without_saying(text) or text
    return Answer(questions.ask(index, said, told, kind, number), homes, kind, number)


async def _content(
    request: Request, reading: Published, asked: tuple[str, str, int], media_type: str
) -> bytes:
    text, kind, number = asked
    told = language_of(request)
    answer = await reading.aside(partial(_answer, reading.index, text, kind, number, told))
    if number > answer.pages:
        raise Problem(404, "NotFound")
    if media_type == JSON:
        return json_of(_as_data(request, answer))
    return pages_of(request).render(
        "search.html",
        request,
        told,
        text=text,
        answer=answer,
        kind_name=lambda each: _kind_name(request, reading, each, told),
        has_list=lambda each: bool(kinds.classes_of(reading.schema, each)),
    )


def _as_data(request: Request, answer: Answer) -> dict[str, Any]:
    found = answer.found

    def hit(each: Hit) -> dict[str, Any]:
        context = "".join(piece.text for piece in each.context)
        return _place(request, each.place) | ({"context": context} if context else {})

    return {
        "query": found.text,
        "total": found.total,
        "partly": found.partly,
        "instead": found.instead or None,
        "groups": [
            {"kind": group.kind, "total": group.total, "hits": [hit(each) for each in group.hits]}
            for group in found.groups
        ],
        "homes": [
            {
                **_place(request, home.commune),
                "levels": [
                    _place(request, level.place)
                    | {"total": level.total, "done": [_place(request, e) for e in level.done]}
                    for level in home.levels
                ],
                "nearest": [
                    _place(request, near.place)
                    | {"kilometres": round(near.kilometres, 1), "total": near.total}
                    for near in home.nearest
                ],
            }
            for home in answer.homes
        ],
    }


def _place(request: Request, place: Place) -> dict[str, Any]:
    label = place.label.value if isinstance(place.label, Literal) else None
    page = _page_of(request, place)
    return {"iri": place.iri, "name": label, "kind": place.kinds[0], "page": page}
