"""Static files: the addresses of assets, and how long a browser may keep what stands there."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from thc_graph.web.http.responses import is_fresh, with_charset
from thc_graph.web.http.routing import Parameters, Router
from thc_graph.web.rendering import assets

FOR_EVER: Final = "public, max-age=31536000, immutable"
ANEW: Final = "no-cache"

router = Router()


@router.get("/static/{name:path}", asks=Parameters(("v",)))
async def static(name: str, request: Request) -> Response:
    asset = assets.found(name, request.query_params.get("v"))
    if asset is None:
        raise HTTPException(404)
    headers = {
        "ETag": f'"{asset.digest}"',
        "Cache-Control": ANEW if asset.name == name else FOR_EVER,
    }
    if is_fresh(request, headers["ETag"], None):
        return Response(status_code=304, headers=headers)
    return Response(asset.content, media_type=with_charset(asset.media_type), headers=headers)
