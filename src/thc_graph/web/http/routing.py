"""Routing: which function answers which address, and what it is given.

A function of a `Router` names what it wants: `request`, `reading` (the snapshot it reads,
kept open until the last byte of its answer) and the parts of its address. The names are
read once, when the route is made. A route says which parameters of an address it knows;
the others are not there for whoever answers. What is answered to GET stops when nobody
listens any more.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from starlette import routing
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from thc_graph.store.engine.lanes import asked_by
from thc_graph.web.http.clients import client_of
from thc_graph.web.http.hangups import Listening

Answering = TypeVar("Answering", bound=Callable[..., Awaitable[Response]])
Guard = Callable[[Request], Awaitable[None]]
Names = Collection[str] | Callable[[Scope], Collection[str]]
LANG: Final = "lang"
LANGUAGES: Final = ("fr", "en")


@dataclass(frozen=True)
class Parameters:
    """What a route knows of its address's parameters, beside the language.

    `one` are of one value, of which the last counts, `many` of several. What is empty
    counts as absent, unless `blank` says that it tells something.
    """

    one: tuple[str, ...] = ()
    many: Names = ()
    blank: bool = False

    def canonical(self, scope: Scope) -> bytes:
        """Return the address's query as every address is written that asks for the same."""
        text = scope["query_string"].decode("latin-1")
        given: dict[str, list[str]] = {}
        for name, value in parse_qsl(text, keep_blank_values=self.blank):
            given.setdefault(name, []).append(value)
        others = given.keys() - {*self.one, LANG}
        named = sorted(others.intersection(self._many(scope))) if others else []
        pairs = [(name, value) for name in named for value in sorted(set(given[name]))]
        pairs += [(name, given[name][-1]) for name in self.one if name in given and name != LANG]
        language = given.get(LANG, [""])[-1]
        pairs += [(LANG, language)] if language in LANGUAGES else []
        return urlencode(pairs).encode("ascii")

    def _many(self, scope: Scope) -> Collection[str]:
        return self.many(scope) if callable(self.many) else self.many


NONE: Final = Parameters()


class Key(Convertor[str]):
    """The key of a thing, `{key:key}`: most are slugs, those of former imports may hold a "/"."""

    regex = "[^/]+(?:/[^/]+)*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("key", Key())


class Address(Route):
    """All that is answered at the addresses of one template, by method.

    The request remembers it, for its line in the log and its measures.
    """

    def __init__(self, path: str, name: str, works: dict[str, ASGIApp] | None = None) -> None:
        self.works = works or {}
        super().__init__(path, self.handle, name=name)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return (match, child) if match is Match.NONE else (Match.FULL, {**child, "route": self})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        work = self.works.get(scope["method"])
        if work is None:
            allowed = {"Allow": ", ".join((*self.works, "OPTIONS"))}
            if scope["method"] != "OPTIONS":
                raise HTTPException(405, headers=allowed)
            work = Response(status_code=204, headers=allowed)
        await work(scope, receive, send)

    def guarded(self, guard: Guard) -> "Address":
        """Return the same, where `guard` must let a request pass first."""
        works: dict[str, ASGIApp] = {
            method: _Guarded(guard, work) for method, work in self.works.items()
        }
        return Address(self.path, self.name, works)


class Router:
    """The addresses of one concern, in the order in which they are tried."""

    def __init__(self, routes: Iterable[Address] = ()) -> None:
        self.routes = list(routes)

    def get(
        self, path: str, name: str = "", *, asks: Parameters | None = NONE
    ) -> Callable[[Answering], Answering]:
        """Answer GET and HEAD; `responses.Frame` leaves out the body that HEAD is not sent.

        With None, whoever answers reads the address as it was written.
        """
        return self._answer(path, ("GET", "HEAD"), name, asks)

    def post(self, path: str) -> Callable[[Answering], Answering]:
        return self._answer(path, ("POST",))

    def put(self, path: str) -> Callable[[Answering], Answering]:
        return self._answer(path, ("PUT",))

    def delete(self, path: str) -> Callable[[Answering], Answering]:
        return self._answer(path, ("DELETE",))

    def guarded(self, guard: Guard) -> "Router":
        return Router(each.guarded(guard) for each in self.routes)

    def _answer(
        self,
        path: str,
        methods: tuple[str, ...],
        name: str = "",
        asks: Parameters | None = None,
    ) -> Callable[[Answering], Answering]:
        def add(work: Answering) -> Answering:
            address = self._at(path, name or getattr(work, "__name__", ""))
            address.works |= dict.fromkeys(methods, _Work(work, asks))
            return work

        return add

    def _at(self, path: str, name: str) -> Address:
        found = next((each for each in self.routes if each.path == path), None)
        if found is None:
            found = Address(path, name)
            self.routes.append(found)
        return found


def forgive_slashes(router: routing.Router) -> None:
    """Send who adds or forgets a last slash on to the address that exists.

    Starlette would do it by an address that holds the Host which the reader told.
    """
    router.redirect_slashes, nowhere = False, router.default

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope["path"])
        other = path.rstrip("/") if path.endswith("/") else f"{path}/"
        if scope["type"] == "http" and _leads(router, {**scope, "path": other}):
            query = scope["query_string"].decode("latin-1")
            target = quote(other) + (f"?{query}" if query else "")
            await RedirectResponse(target)(scope, receive, send)
        else:
            await nowhere(scope, receive, send)

    router.default = answer


def _leads(router: routing.Router, scope: Scope) -> bool:
    """Tell whether an address exists here; `//host` would be one of elsewhere."""
    is_ours = scope["path"].startswith("/") and not scope["path"].startswith("//")
    return is_ours and any(r.matches(scope)[0] is not Match.NONE for r in router.routes)


class _Work:
    """ASGI application: one function, given what it names."""

    def __init__(
        self, work: Callable[..., Awaitable[Response]], asks: Parameters | None = None
    ) -> None:
        self.work, self.parameters = work, asks
        names = signature(work).parameters
        self.asks, self.reads = "request" in names, "reading" in names
        self.parts = tuple(each for each in names if each not in ("request", "reading"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"] and self.parameters is not None:
            scope["query_string"] = self.parameters.canonical(scope)
        request = Request(scope, receive, send)
        given: dict[str, Any] = {each: scope["path_params"][each] for each in self.parts}
        if self.asks:
            given["request"] = request
        if not self.reads:
            await (await self._answer(request, given))(scope, receive, send)
            return
        async with scope["app"].state.service.reading() as reading:
            answer = await self._answer(request, given | {"reading": reading})
            await answer(scope, receive, send)

    async def _answer(self, request: Request, given: dict[str, Any]) -> Response:
        with asked_by(partial(client_of, request)):
            if request.method not in ("GET", "HEAD"):  # there is a body to be read first
                return await self.work(**given)
            with Listening(request.receive):
                return await self.work(**given)


class _Guarded:
    def __init__(self, guard: Guard, work: ASGIApp) -> None:
        self.guard, self.work = guard, work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.guard(Request(scope, receive, send))
        await self.work(scope, receive, send)
