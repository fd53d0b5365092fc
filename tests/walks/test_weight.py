"""What a first visit weighs on the wire: the page, styles, scripts, fonts, and what they fetch."""

import html
import re
from urllib.parse import urljoin

import httpx
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


HEAD = 1_200  # bytes of an answer's head, which come on top where HTTP/2 does not pack them


CHROMIUM = {"https": "gzip, deflate, br, zstd", "http": "gzip, deflate"}  # what it unpacks


def loading(address: str, liked: str) -> tuple[bytes, int]:
    """Return what a browser reads at an address, and how many bytes of it travel."""
    headers = {"Accept": "text/html,*/*;q=0.5", "Accept-Encoding": liked}
    with httpx.stream("GET", address, headers=headers) as answer:
        content = b"".join(answer.iter_bytes())
        assert answer.status_code == 200, address
        named = {k: v for k, v in answer.headers.multi_items() if k != "link"}
        assert sum(len(name) + len(value) + 4 for name, value in named.items()) <= HEAD, address
        return content, answer.num_bytes_downloaded


def loaded(site: str, path: str, liked: str) -> dict[str, int]:
    """Return what a browser loads for a page, by address, with what each part weighs."""
    page, size = loading(site + path, liked)
    found, text = {path: size}, page.decode()
    for part in map(html.unescape, re.findall(LINKED, text)):
        content, found[part] = loading(site + part, liked)
        for inner, ranges in re.findall(FONT, content.decode() if "fonts" in part else ""):
            if needed(ranges, html.unescape(re.sub("<[^>]+>", "", IN_OTHER_FONTS.sub("", text)))):
                font = urljoin(site + part, inner)
                found[font] = loading(font, liked)[1]
    return {address: size for address, size in found.items() if EDITOR not in address}


def needed(ranges: str, text: str) -> bool:
    """Tell whether a text has a character that a font is declared for."""
    pairs = [each.removeprefix("U+").partition("-") for each in ranges.split(", ")]
    spans = [range(int(first, 16), int(last or first, 16) + 1) for first, _, last in pairs]
    return any(ord(character) in span for character in set(text) for span in spans)


@pytest.mark.parametrize("scheme", CHROMIUM)
@pytest.mark.parametrize(("path", "limit"), LIMITS.items())
def test_a_first_visit_is_light(site: str, path: str, limit: int, scheme: str) -> None:
    parts = loaded(site, path, CHROMIUM[scheme])
    assert sum(parts.values()) <= limit, parts
