"""What is public, by the template of its address: for the laws that hold for all of it."""

from typing import Any, NamedTuple
from urllib.parse import quote

from thc_graph.rdf import formats
from thc_graph.web.files import dashboard, entities, lists
from thc_graph.web.rendering import assets

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
TERRITORY = "/doc/territoire/exemple-villeneuve"
COMMITMENT = "/doc/engagement/exemple-villeneuve-2024-2027-t4"
CITED = f"?propriete={quote('https://w3id.org/thc/ns#territoire', safe='')}&liste=engagement"
ALL = "SELECT * { ?s ?p ?o } LIMIT 200"


class Asked(NamedTuple):
    """A request; `status` is that of its answer."""

    path: str
    accept: str = HTML["Accept"]
    status: int = 200
    form: dict[str, str] | None = None

    @property
    def request(self) -> dict[str, Any]:
        method = "POST" if self.form else "GET"
        return {"method": method, "url": self.path, "data": self.form}


def _sparql(*types: str) -> list[Asked]:
    return [Asked(f"/sparql?query={quote(ALL)}", each) for each in types]


ADDRESSES: dict[str, list[Asked]] = {
    "/static/{name:path}": [
        *(Asked(assets.address(each)) for each in ("thc.css", "icone.svg", "recherche.js")),
        *map(Asked, ("/static/thc.css", assets.address("favicon.ico"))),
        Asked("/static/thc.000000000000.css", status=404),
    ],
    "/robots.txt": [Asked("/robots.txt")],
    "/.well-known/security.txt": [Asked("/.well-known/security.txt", status=404)],
    "/favicon.ico": [Asked("/favicon.ico")],
    "/healthz": [Asked("/healthz")],
    "/readyz": [Asked("/readyz")],
    "/metrics": [Asked("/metrics")],
    "/sparql": [
        Asked("/sparql"),
        Asked("/sparql", "text/turtle"),
        *_sparql(*formats.BINDINGS, HTML["Accept"]),
        Asked("/sparql", formats.BINDINGS[0], form={"query": ALL}),
        Asked("/sparql", formats.BINDINGS[0], form={"query": f"{ALL} # NOW()"}),
        Asked(f"/sparql?query={quote('SELECT (NOW() AS ?t) ?s { ?s ?p ?o } LIMIT 99')}", "*/*"),
        Asked("/sparql?query=SELECT", status=400),
    ],
    "/mentions-legales": [Asked("/mentions-legales")],
    "/limites": [Asked("/limites")],
    "/": [Asked("/"), Asked("/?lang=en")],
    "/voc": [Asked("/voc")],
    "/recherche": [Asked("/recherche?q=mulhouse")],
    "/recherche.json": [Asked("/recherche.json?q=mulhouse", "application/json")],
    "/recherche/suggestions": [Asked("/recherche/suggestions?q=mul", "*/*")],
    "/recherche/description.xml": [Asked("/recherche/description.xml", "*/*")],
    "/tableau-de-bord": [Asked("/tableau-de-bord")],
    "/tableau-de-bord.{suffix}": [
        Asked(f"/tableau-de-bord.{each.suffix}") for each in dashboard.FORMATS
    ],
    "/tableau-de-bord/{name}.svg": [Asked("/tableau-de-bord/echeances.svg")],
    "/agenda": [Asked("/agenda")],
    "/agenda.{suffix}": [Asked("/agenda.ics")],
    "/doc/evenement/{key:key}.ics": [],
    "/carte": [Asked("/carte")],
    "/carte.{suffix}": [Asked("/carte.geojson"), Asked("/carte.csv")],
    "/ligne-de-temps": [Asked("/ligne-de-temps")],
    "/schema": [Asked("/schema")],
    "/sparql/exemples": [Asked("/sparql/exemples")],
    "/sparql/exemples/{name}": [],
    "/.well-known/void": [Asked("/.well-known/void", "text/turtle")],
    "/id/{kind}/{key:key}": [Asked("/id/commune/68224", status=303)],
    "/doc/{kind}/{name}": [
        *(Asked(each) for each in (TERRITORY, COMMITMENT, "/doc/region/44")),
        *(Asked(f"{TERRITORY}.{e.suffix}") for e in (*formats.GRAPH_FORMATS, entities.FORMS[0])),
        Asked("/doc/commune/68224.geojson"),
        Asked("/doc/commune/0", status=404),
        Asked("/doc/commune/68224", "image/png", status=406),
    ],
    "/doc/{kind}/{key:key}/historique": [Asked(f"{COMMITMENT}/historique")],
    "/doc/{kind}/{key:key}/cite-par": [Asked(f"{TERRITORY}/cite-par{CITED}")],
    "/doc/{kind}/{key:key}/{name}": [Asked(f"{TERRITORY}/nulle-part.csv", status=404)],
    "/voc/{rest:path}/cite-par": [],
    "/voc/{rest:path}": [Asked("/voc/ns"), Asked("/voc/ns/Engagement"), Asked("/voc/ns.ttl")],
    "/{name}": [
        *map(Asked, ("/commune", "/engagement?lang=en", "/experience?vue=carte")),
        *(Asked(f"/engagement.{each.suffix}") for each in lists.FORMATS),
        Asked("/nulle-part", status=404),
    ],
    "none": [Asked("/nulle/part/du/tout", status=404)],
}
PUBLIC = [asked for found in ADDRESSES.values() for asked in found]
