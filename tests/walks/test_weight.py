"""What a first visit to an entity weighs, compressed: the page, styles, script and fonts."""

import gzip
import re
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import pytest

LIMIT = 60_000  # bytes
HEAVIEST = (
    "/doc/territoire/exemple-villeneuve",
    "/doc/engagement/exemple-villeneuve-2024-2027-t4",
    "/doc/plan/exemple-villeneuve-2024-2027",
    "/doc/region/44",
)


def bytes_of(address: str) -> bytes:
    asked = Request(address, headers={"Accept": "text/html,*/*"})  # noqa: S310  loopback
    with urlopen(asked) as answer:  # noqa: S310
        content: bytes = answer.read()
        return content


def weight(address: str, content: bytes) -> int:
    """Return what travels: fonts are compressed already."""
    return len(content) if address.endswith(".woff2") else len(gzip.compress(content, 6))


def loaded(site: str, path: str) -> dict[str, int]:
    """Return what a browser loads for a page, by address, with what each part weighs."""
    page = bytes_of(site + path)
    found = {path: weight(path, page)}
    parts = re.findall(rb'(?:<link rel="stylesheet" href|<script[^>]* src)="([^"]+)"', page)
    for part in (each.decode() for each in parts):
        content = bytes_of(site + part)
        found[part] = weight(part, content)
        for inner in re.findall(rb'url\("([^"]+)"\)', content):
            font = urljoin(site + part, inner.decode())
            found[font] = weight(font, bytes_of(font))
    return found


@pytest.mark.parametrize("path", HEAVIEST)
def test_a_first_visit_is_light(site: str, path: str) -> None:
    parts = loaded(site, path)
    assert sum(parts.values()) <= LIMIT, parts
