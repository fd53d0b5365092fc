"""Rendering: templates, the catalogue of their sentences, and how values are written."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import date
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote, urlencode

import yaml
from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pyoxigraph import Literal, NamedNode
from starlette.requests import Request

from thc_graph.instance.settings import Settings
from thc_graph.rdf.formats import GRAPH_FORMATS
from thc_graph.rdf.terms import DASH, THC, VOCABULARY
from thc_graph.web.rendering import assets
from thc_graph.web.rendering.terms import LOCALES, Writing, curie, number, typeset

TEMPLATES: Final = Path(__file__).parents[1] / "templates"
PAGES: Final = frozenset(
    {"sparql", "tableau-de-bord", "agenda", "carte"}
)  # pages of the menu that are no list of a class
LINE: Final = 200  # characters of a line that is remembered, written as a parameter
DAY_LENGTH: Final = len("2016-03-30")

Messages = Mapping[str, Mapping[str, str]]


@cache
def read_messages(path: Path = TEMPLATES / "messages.yaml") -> Messages:
    """Return the sentences by dotted key, each in both languages, French ones typeset."""
    found: Messages = yaml.safe_load(path.read_text("utf-8"))
    return {key: {**each, "fr": typeset(each["fr"])} for key, each in found.items()}


def translator(messages: Messages, language: str) -> Callable[..., str]:
    """Give the sentences of one language by their keys, with what is to stand in them."""

    def translate(key: str, **values: object) -> str:
        sentence = messages[key][language]
        return sentence.format(**values) if values else sentence

    return translate


class Pages:
    """The templates of one service."""

    def __init__(self, settings: Settings, kinds: Collection[str]) -> None:
        self.settings = settings
        self.kinds = kinds
        self.messages = read_messages()
        self.environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            auto_reload=False,
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
        self.environment.filters["quoted"] = quoted
        self.environment.tests["iri"] = lambda term: isinstance(term, NamedNode)
        self.environment.tests["literal"] = lambda term: isinstance(term, Literal)

    def render(self, template: str, request: Request, language: str, **given: Any) -> bytes:
        """Return a page; beside `given`, templates speak the reader's language by these."""
        page, link = self.environment.get_template(template), _linker(request)
        truth = {each: self.messages[f"value.{each}"][language] for each in ("true", "false")}
        writing = Writing(language, truth, self.local, link)
        text = page.render(
            t=self.translator(language),
            lang=language,
            here=_here(request),
            link=link,
            keep=_keeper(request),
            named=self._namer(language),
            writing=writing,
            number=partial(number, language=language),
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
        return translator(self.messages, language)

    def local(self, iri: str) -> str | None:
        """Return where a reader of these pages follows an IRI, None if it is no web address."""
        if iri.startswith(f"{self.settings.base}/id/"):
            return "/doc/" + _path(iri.removeprefix(f"{self.settings.base}/id/"))
        if iri.startswith(VOCABULARY):
            return "/voc/" + _path(iri.removeprefix(VOCABULARY).replace("#", "/"))
        return iri if iri.startswith(("http://", "https://", "mailto:")) else None


def json_block(value: object) -> Markup:
    """Return JSON that can stand in a `<script>`: no text in it closes the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)  # noqa: S704  nothing is left that HTML could read


def quoted(query: str) -> str:
    """Return a query as the value of a parameter; queries of a kind share most of their lines."""
    lines = query.splitlines(keepends=True)
    return "".join(_quoted(each) if len(each) < LINE else quote_plus(each) for each in lines)


@lru_cache(maxsize=1_000)
def _quoted(line: str) -> str:
    return quote_plus(line)


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
        if not asked and not page:
            return path
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
