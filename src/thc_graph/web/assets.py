"""Assets: style sheets, fonts and scripts, each at an address that changes with its bytes.

The address bears a hash of the content, so that a browser may keep it for ever
(RFC 8246). What stands under `vendor/` is copied there by `scripts/assets.py` from
packages; pages work without it.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER: Final = Path(__file__).parent / "static"
FOR_EVER: Final = "public, max-age=31536000, immutable"


def exists(name: str) -> bool:
    return (FOLDER / name).is_file()


@cache
def address(name: str) -> str:
    """Return the address of a file of the folder, with the hash of its content."""
    content = (FOLDER / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


class Assets(StaticFiles):
    """Serves the folder; an address with a hash may be kept for ever, others are asked anew."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        is_named_by_content = exists(path) and scope["query_string"].startswith(b"v=")
        response.headers["Cache-Control"] = FOR_EVER if is_named_by_content else "no-cache"
        return response
