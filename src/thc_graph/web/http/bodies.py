"""Bodies: what a request carries, refused before it is read whole where it is too large."""

from starlette.requests import Request

from thc_graph import quantities
from thc_graph.web.http.problems import Problem


async def read(request: Request, limit: int) -> bytes:
    """Return the body.

    Raises:
        Problem: 413 where it has more than `limit` bytes.
    """
    content = bytearray()
    told = quantities.whole(request.headers.get("content-length", "0"), 0, 1 << 62)
    _check_size(limit + 1 if told is None else told, limit)
    async for chunk in request.stream():
        content += chunk
        _check_size(len(content), limit)
    return bytes(content)


def text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise Problem(400, "NotUtf8") from fault


def media_type(request: Request) -> str:
    """Return the type of the body, without its parameters.

    Raises:
        Problem: 415 where its characters are not in UTF-8.
    """
    name, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    for parameter in parameters.split(";"):
        key, _, value = parameter.partition("=")
        if key.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8", "us-ascii"):
            raise Problem(415, "UnsupportedType", {"offered": (f"{name}; charset=utf-8",)})
    return name.strip()


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise Problem(413, "BodyTooLarge", {"limit": limit})
