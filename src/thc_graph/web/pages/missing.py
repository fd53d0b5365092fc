"""Astray: what a reader may have looked for at an address where nothing is."""

from contextlib import suppress
from functools import partial
from urllib.parse import unquote

from starlette.requests import Request

from thc_graph.errors import QueueFull
from thc_graph.search import questions
from thc_graph.search.summaries import Place
from thc_graph.search.words import MAX_LENGTH
from thc_graph.store.engine.lanes import asked_by
from thc_graph.web.http.clients import client_of


def words(path: str) -> str:
    """Return the words of the last part of an address, without its suffix.

    >>> words("/doc/commune/saint-%C3%A9tienne.ttl")
    'saint étienne'
    """
    name = unquote(path).rstrip("/").rpartition("/")[2].partition(".")[0]
    return " ".join(name.replace("-", " ").replace("_", " ").split())[:MAX_LENGTH]


async def near(request: Request, language: str) -> list[Place]:
    """Return what is named nearly as the address is, on the account of who asks.

    Nothing while nothing can be read, or too many wait: the page is sent without.
    """
    text, service = words(request.url.path), request.app.state.service
    if not service.is_ready or not text:
        return []
    with asked_by(partial(client_of, request)), suppress(QueueFull):
        async with service.reading() as reading:
            found: list[Place] = await reading.aside(
                partial(questions.near, reading.index, text, language)
            )
            return found
    return []
