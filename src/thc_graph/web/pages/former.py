"""Former codes: an address that bears one leads to the territory that took it over."""

from functools import partial
from urllib.parse import quote

from pyoxigraph import Literal, NamedNode
from starlette.requests import Request

from thc_graph.instance.reading import Published
from thc_graph.rdf import iris
from thc_graph.web.http.problems import Problem

Codes = dict[tuple[str, str], tuple[str, ...]]  # kind and former code → present keys

_SAFE = "/:@!$&'()*+,;=~-._"


async def follow(request: Request, reading: Published, kind: str, key: str) -> None:
    """Let pass what is no former code.

    Raises:
        Problem: 301 towards the territory of this kind that took the code over, with the
            rest of the address; 300 where several did.
    """
    base = request.app.state.service.settings.base
    codes = await reading.once("former codes", partial(_codes, reading, base))
    present = codes.get((kind, key), ())
    if not present:
        return
    targets = [_instead(request, kind, key, each) for each in present]
    if len(targets) == 1:
        raise Problem(301, "Merged", {}, {"Location": targets[0]})
    links = ", ".join(f'<{each}>; rel="alternate"' for each in targets)
    raise Problem(300, "Several", {"choices": targets}, {"Link": links})


async def _codes(reading: Published, base: str) -> Codes:
    found: dict[tuple[str, str], dict[str, None]] = {}
    for row in await reading.bindings("entity/former-codes"):
        code, territory = row["code"], row["territory"]
        assert isinstance(territory, NamedNode)
        assert isinstance(code, Literal)
        place = iris.kind_and_key(territory.value, base)
        if place:
            found.setdefault((place[0], code.value), {})[place[1]] = None
    return {code: tuple(present) for code, present in found.items()}


def _instead(request: Request, kind: str, former: str, present: str) -> str:
    """Return the address asked for, of another thing of the kind: suffix and query are kept."""
    path = str(request.scope["path"])
    space = path.split("/", 2)[1]
    after = path.removeprefix(f"/{space}/{kind}/{former}")
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(f"/{space}/{kind}/{present}{after}", safe=_SAFE) + query
