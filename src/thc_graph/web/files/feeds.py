"""Feeds: Atom (RFC 4287)."""

from typing import Final
from xml.etree import ElementTree as ET

ATOM: Final = "http://www.w3.org/2005/Atom"


def begun(iri: str, name: str, site: str, updated: str) -> ET.Element:
    """Return an Atom feed (RFC 4287) without an entry yet."""
    feed = ET.Element("feed", xmlns=ATOM)
    said(feed, "id", iri)
    said(feed, "title", f"{name} – {site}")
    said(feed, "updated", updated)
    said(ET.SubElement(feed, "author"), "name", site)
    return feed


def said(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = writable(text)


def writable(text: str) -> str:
    """Return a text without what XML 1.0 cannot hold (section 2.2)."""
    return "".join(
        c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in text
    )
