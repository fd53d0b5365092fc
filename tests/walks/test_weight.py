"""What a first visit weighs, compressed: the page, styles, scripts, fonts, and what they fetch."""

import gzip
import html
import re
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import pytest

ENTITY, DASHBOARD, LIST, FORM, MAP = 60_000, 70_000, 50_000, 40_000, 150_000  # bytes
LIMITS = {
    "/doc/territoire/exemple-villeneuve": ENTITY,
    "/doc/engagement/exemple-villeneuve-2024-2027-t4": ENTITY,
    "/doc/plan/exemple-villeneuve-2024-2027": ENTITY,
    "/doc/region/44": ENTITY,
    "/tableau-de-bord": DASHBOARD,
    "/tableau-de-bord?territoire=territoire%2Fexemple-villeneuve": DASHBOARD,
    "/commune": LIST,
    "/engagement": LIST,
    "/experience": LIST,
    "/experience?vue=carte": LIST,
    "/sparql": FORM,
    "/carte": MAP,
    "/carte?nature=experience": MAP,
}
EDITOR = "vendor/yasgui"  # comes on top of the plain form, only where it is installed
LINKED = r'(?:<link rel="stylesheet" href|<script[^>]* src|<use [^>]*href|data-places)="([^"#]+)'
IN_OTHER_FONTS = re.compile(r"<(head|script|pre|code|textarea)\b.*?</\1>", re.DOTALL)
FONT = r'url\("([^"]+)"\)[^;]*;\s*unicode-range: ([^;]+);'


def bytes_of(address: str) -> bytes:
    asked = Request(address, headers={"Accept": "text/html,*/*;q=0.5"})  # noqa: S310  loopback
    with urlopen(asked) as answer:  # noqa: S310
        content: bytes = answer.read()
        return content


def weight(address: str, content: bytes) -> int:
    """Return what travels: fonts are compressed already."""
    return len(content) if ".woff2" in address else len(gzip.compress(content, 6))


def loaded(site: str, path: str) -> dict[str, int]:
    """Return what a browser loads for a page, by address, with what each part weighs."""
    page = bytes_of(site + path)
    found = {path: weight(path, page)}
    text = page.decode()
    for part in map(html.unescape, re.findall(LINKED, text)):
        content = bytes_of(site + part)
        found[part] = weight(part, content)
        for inner, ranges in re.findall(FONT, content.decode() if "fonts" in part else ""):
            if needed(ranges, html.unescape(re.sub("<[^>]+>", "", IN_OTHER_FONTS.sub("", text)))):
                font = urljoin(site + part, inner)
                found[font] = weight(font, bytes_of(font))
    return {address: size for address, size in found.items() if EDITOR not in address}


def needed(ranges: str, text: str) -> bool:
    """Tell whether a text has a character that a font is declared for."""
    pairs = [each.removeprefix("U+").partition("-") for each in ranges.split(", ")]
    spans = [range(int(first, 16), int(last or first, 16) + 1) for first, _, last in pairs]
    return any(ord(character) in span for character in set(text) for span in spans)


@pytest.mark.parametrize(("path", "limit"), LIMITS.items())
def test_a_first_visit_is_light(site: str, path: str, limit: int) -> None:
    parts = loaded(site, path)
    assert sum(parts.values()) <= limit, parts
