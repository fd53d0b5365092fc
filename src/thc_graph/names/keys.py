"""Keys: how an identifier that people typed is written in the IRI of what it names.

A key is a slug, so that it stands in an address as it is. Where a slug tells less than the
identifier did, a digest of the whole tells apart what would bear one name: where
letters or digits were lost, as at a cut, and where a "/" separated what a slug runs
together. `a/b` and `a-b` are two things; `A b` and `a-b` are two spellings of one.
"""

import hashlib
import re
from typing import Final

from thc_graph.names.words import folded
from thc_graph.rdf import iris

PATTERN: Final = re.compile("[a-z0-9]+(-[a-z0-9]+)*")
DIGITS: Final = 8  # hexadecimal, of the digest


def key(identifier: str) -> str:
    """Return the key of an identifier, "" where it has neither letter nor digit.

    It depends on nothing else, so it is the same in every import.

    >>> key("Forum ouvert"), key("forum/ouvert")
    ('forum-ouvert', 'forum-ouvert-202e94f9')
    """
    plain, words = iris.slug(identifier), folded(identifier)
    if not plain or ("/" not in identifier and _letters(plain) == _letters(words)):
        return plain
    whole = "/".join(map(folded, identifier.split("/"))) if words else identifier
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{plain}-{digest[:DIGITS]}"


def is_of_another(found: str, identifier: str) -> bool:
    """Tell whether a key bears the digest of another identifier than this one."""
    digest = found.removeprefix(f"{iris.slug(identifier)}-")
    is_marked = digest != found and re.fullmatch(f"[0-9a-f]{{{DIGITS}}}", digest) is not None
    return is_marked and found != key(identifier)


def _letters(text: str) -> str:
    return text.replace("-", "").replace(" ", "")
