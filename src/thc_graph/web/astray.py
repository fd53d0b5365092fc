"""Astray: what a reader may have looked for at an address where nothing is."""

from functools import partial
from urllib.parse import unquote

from thc_graph.search import asking
from thc_graph.search.shown import Place
from thc_graph.search.words import MAX_LENGTH
from thc_graph.service import Service


def words(path: str) -> str:
    """Return the words of the last part of an address, without its suffix.

    >>> words("/doc/commune/saint-%C3%A9tienne.ttl")
    'saint étienne'
    """
    name = unquote(path).rstrip("/").rpartition("/")[2].partition(".")[0]
    return " ".join(name.replace("-", " ").replace("_", " ").split())[:MAX_LENGTH]


async def near(service: Service, path: str, language: str) -> list[Place]:
    """Return what is named nearly as the address is; nothing while nothing can be read."""
    text = words(path)
    if not service.is_ready or not text:
        return []
    async with service.reading() as reading:
        return await reading.aside(partial(asking.near, reading.index, text, language))
