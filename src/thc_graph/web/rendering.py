"""Rendering: templates, the catalogue of their sentences, and how values are written."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, time
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode

import yaml
from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pyoxigraph import Literal, NamedNode
from starlette.requests import Request

from thc_graph.rdf.formats import GRAPH_FORMATS
from thc_graph.rdf.terms import DASH, PREFIXES, THC, VOCABULARY, XSD
from thc_graph.settings import Settings
from thc_graph.web import assets
from thc_graph.web.negotiation import language

TEMPLATES: Final = Path(__file__).parent / "templates"
NUMBERS: Final = frozenset({XSD["integer"], XSD["decimal"], XSD["double"], XSD["float"]})
PAGES: Final = frozenset(
    {"sparql", "tableau-de-bord", "agenda", "carte"}
)  # pages of the menu that are no list of a class
MONTH_LENGTH: Final = len("2016-03")
DAY_LENGTH: Final = len("2016-03-30")

NO_BREAK: Final = "\u00a0"
NARROW: Final = "\u202f"
_WIDE: Final = re.compile(r"(?<=«) | (?=[»:])")
_NARROW: Final = re.compile(r" (?=[;!?%€])")

LOCALES: Final = {"fr": "fr", "en": "en_GB"}  # of dates and numbers

Messages = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Written:
    """A literal as people read it; `moment` and `language` are for the markup, or empty."""

    text: str
    moment: str = ""
    language: str = ""


def read_messages(path: Path = TEMPLATES / "messages.yaml") -> Messages:
    """Return the sentences by dotted key, each in both languages, French ones typeset."""
    found: Messages = yaml.safe_load(path.read_text("utf-8"))
    return {key: {**each, "fr": typeset(each["fr"])} for key, each in found.items()}


def typeset(text: str) -> str:
    """Return a French sentence with spaces that no line breaks at: Imprimerie nationale's rules.

    >>> typeset("« Où ? » : 3 %").replace(NO_BREAK, "_").replace(NARROW, "~")
    '«_Où~?_»_: 3~%'
    """
    wide = _WIDE.sub(NO_BREAK, text)
    return _NARROW.sub(NARROW, wide)


class Pages:
    """The templates of one service."""

    def __init__(self, settings: Settings, kinds: Collection[str]) -> None:
        self.settings = settings
        self.messages = read_messages()
        self.environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        menu = (key.removeprefix("nav.") for key in self.messages if key.startswith("nav."))
        self.environment.globals.update(
            settings=settings,
            menu=[(f"/{name}", f"nav.{name}") for name in menu if name in {*kinds, *PAGES}],
            asset=assets.address,
            has_asset=assets.exists,
            local=self.local,
            curie=curie,
            formats=GRAPH_FORMATS,
            DASH=DASH,
            THC=THC,
        )
        self.environment.filters["json_block"] = json_block
        self.environment.filters["urldecoded"] = unquote
        self.environment.tests["iri"] = lambda term: isinstance(term, NamedNode)
        self.environment.tests["literal"] = lambda term: isinstance(term, Literal)

    def render(self, template: str, request: Request, language: str, **given: Any) -> bytes:
        """Return a page; beside `given`, templates speak the reader's language by these."""
        page = self.environment.get_template(template)
        text = page.render(
            t=self.translator(language),
            lang=language,
            here=_here(request),
            link=_linker(request),
            keep=_keeper(request),
            named=self._namer(language),
            written=_writer(language, self.messages),
            number=_numbers(language),
            day=_days(language),
            full_month=partial(format_date, format="MMMM y", locale=LOCALES[language]),
            month=partial(format_date, format="MMM y", locale=LOCALES[language]),
            asked=request.query_params,
            **given,
        )
        return text.encode("utf-8")

    def has(self, template: str) -> bool:
        return template in self._templates

    @cached_property
    def _templates(self) -> frozenset[str]:
        return frozenset(self.environment.list_templates())

    def _namer(self, language: str) -> Callable[[str], str]:
        """Give names of properties that neither shapes nor data name."""

        def name(short: str) -> str:
            return self.messages.get(f"property.{short}", {}).get(language, short)

        return name

    def translator(self, language: str) -> Callable[..., str]:
        def translate(key: str, **values: object) -> str:
            sentence = self.messages[key][language]
            return sentence.format(**values) if values else sentence

        return translate

    def local(self, iri: str) -> str | None:
        """Return where a reader of these pages follows an IRI, None if it is no web address."""
        if iri.startswith(f"{self.settings.base}/id/"):
            return "/doc/" + _path(iri.removeprefix(f"{self.settings.base}/id/"))
        if iri.startswith(VOCABULARY):
            return "/voc/" + _path(iri.removeprefix(VOCABULARY).replace("#", "/"))
        return iri if iri.startswith(("http://", "https://", "mailto:")) else None


def pages_of(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def language_of(request: Request) -> str:
    """Return the language of a request's answer, "fr" or "en"."""
    asked = request.query_params.get("lang")
    return language(request.headers.get("accept-language", ""), asked)


def curie(iri: str) -> str:
    """Return the short form of an IRI, or the IRI without its scheme.

    >>> curie("http://www.w3.org/2000/01/rdf-schema#label")
    'rdfs:label'
    """
    spaces = sorted(PREFIXES.items(), key=lambda item: -len(item[1]))
    prefix = next(((p, space) for p, space in spaces if iri.startswith(space)), None)
    if prefix:
        return f"{prefix[0]}:{iri.removeprefix(prefix[1])}"
    return iri.removeprefix("https://").removeprefix("http://").removeprefix("mailto:")


def json_block(value: object) -> Markup:
    """Return JSON that can stand in a `<script>`: no text in it closes the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)  # noqa: S704  nothing is left that HTML could read


def _path(text: str) -> str:
    return quote(unquote(text), safe="/:@!$&'()*+,;=~-._")


def _here(request: Request) -> dict[str, Any]:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    path = _path(request.url.path)

    def in_(language: str) -> str:
        return f"{path}?{urlencode([*kept, ('lang', language)])}"

    return {"path": path, "in_": in_, "lang": request.query_params.get("lang")}


def _linker(request: Request) -> Callable[..., str]:
    """Give addresses of our pages that keep the language the reader asked for."""
    asked = request.query_params.get("lang")

    def link(path: str, page: int | None = None) -> str:
        wanted = [("page", page) if page and page > 1 else None, ("lang", asked) if asked else None]
        query = urlencode([each for each in wanted if each])
        return f"{path}?{query}" if query else path

    return link


def _keeper(request: Request) -> Callable[[str], str]:
    """Give addresses that may have a query of their own the language the reader asked for."""
    asked = request.query_params.get("lang")

    def keep(address: str) -> str:
        mark = "&" if "?" in address else "?"
        return f"{address}{mark}{urlencode({'lang': asked})}" if asked else address

    return keep


def _days(language: str) -> Callable[[date | str], str]:
    def write(moment: date | str) -> str:
        told = date.fromisoformat(moment[:DAY_LENGTH]) if isinstance(moment, str) else moment
        return str(format_date(told, "long", locale=LOCALES[language]))

    return write


def _numbers(language: str) -> Callable[[int], str]:
    def write(value: int) -> str:
        return str(format_decimal(value, locale=LOCALES[language]))

    return write


def _writer(language: str, messages: Messages) -> Callable[[Literal], Written]:
    def write(literal: Literal) -> Written:
        if literal.language:
            foreign = "" if literal.language == language else literal.language
            return Written(literal.value, language=foreign)
        try:
            return _typed(literal, language, messages)
        except (ValueError, ArithmeticError):
            return Written(literal.value)

    return write


def _typed(literal: Literal, language: str, messages: Messages) -> Written:
    text, datatype = literal.value, literal.datatype
    if datatype in NUMBERS:
        return Written(str(format_decimal(text, format="#,##0.######", locale=LOCALES[language])))
    if datatype == XSD["boolean"]:
        return Written(messages[f"value.{text}"][language])
    moment = _moment(text, datatype, language)
    return Written(moment, text) if moment else Written(text)


def _moment(text: str, datatype: NamedNode, language: str) -> str:
    """Return a day, a month, a year or an hour in words; empty for anything else."""
    if datatype == XSD["date"]:
        return str(format_date(date.fromisoformat(text), "long", locale=LOCALES[language]))
    if datatype == XSD["gYearMonth"]:
        first = date.fromisoformat(f"{text[:MONTH_LENGTH]}-01")
        return str(format_date(first, "MMMM y", locale=LOCALES[language]))
    if datatype == XSD["time"]:
        return _hour(time.fromisoformat(text), language)
    return text if datatype == XSD["gYear"] else ""


def _hour(moment: time, language: str) -> str:
    """Return an hour as it is written: « 9 h », « 12 h 30 », or 12:30."""
    if language != "fr":
        return f"{moment:%H:%M}"
    minutes = f"{NO_BREAK}{moment:%M}" if moment.minute else ""
    return f"{moment.hour}{NO_BREAK}h{minutes}"
