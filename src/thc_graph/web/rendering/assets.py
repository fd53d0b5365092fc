"""Assets: style sheets, fonts and scripts, each at an address that changes with its bytes.

The name in an address bears a hash of the content (`thc.3fa9c1d2e4b5.css`), so that a browser
may keep it for ever (RFC 8246); so do the names that a style sheet gives in `url()`. A
hash that is not the content's is nothing; a name without one is asked anew each time. What
stands under `vendor/` is copied there by `scripts/assets.py` from packages; pages work
without it.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Final

FOLDER: Final = Path(__file__).parents[1] / "static"
MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/vnd.microsoft.icon",
    ".woff2": "font/woff2",
}
_URL: Final = re.compile(r"""url\((["']?)([^"'()?#:]+)[^"'():]*\1\)""")


@dataclass(frozen=True)
class Asset:
    """A file of the folder, as it is sent."""

    name: str
    content: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:12]

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES.get(PurePosixPath(self.name).suffix, "text/plain")

    @property
    def hashed(self) -> str:
        """The name with the hash of the content."""
        path = PurePosixPath(self.name)
        return str(path.with_name(f"{path.stem}.{self.digest}{path.suffix}"))


@cache
def names() -> frozenset[str]:
    """Return what there is, by its path in the folder."""
    files = (path for path in FOLDER.rglob("*") if path.is_file())
    return frozenset(path.relative_to(FOLDER).as_posix() for path in files)


def exists(name: str) -> bool:
    return name in names()


@cache
def asset(name: str) -> Asset:
    """Return a file that exists; a style sheet names others by their hashes, too."""
    content = (FOLDER / name).read_bytes()
    if name.endswith(".css"):
        content = _URL.sub(lambda found: _linked(name, found), content.decode()).encode()
    return Asset(name, content)


def address(name: str) -> str:
    """Return the address of a file of the folder, with the hash of its content."""
    return f"/static/{asset(name).hashed}"


def found(name: str, version: str | None) -> Asset | None:
    """Return what an address names; `version` is how former addresses bore the hash."""
    if exists(name):
        plain = asset(name)
        return plain if version in (None, plain.digest) else None
    return _hashed().get(name)


@cache
def _hashed() -> dict[str, Asset]:
    """Return what there is, by the names with hashes."""
    return {found.hashed: found for found in map(asset, names())}


def _linked(sheet: str, found: re.Match[str]) -> str:
    """Return a `url()` of a style sheet with the name that may be kept for ever."""
    near = PurePosixPath(found[2])
    name = normpath(str(PurePosixPath(sheet).parent / near))
    if not exists(name):
        return found[0]
    hashed = PurePosixPath(asset(name).hashed).name
    return f'url("{near.with_name(hashed)}")'
