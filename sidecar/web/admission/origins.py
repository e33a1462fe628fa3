"""Which web pages may use a visitor's session: a browser sends its cookie along with requests from any page.

A request that changes something with the cookie must come from this very origin or from a listed one
(fetch.spec.whatwg.org: `Origin`, `Sec-Fetch-Site`, CORS). A token in a header needs no such check, since no browser
sends one by itself.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from sidecar.core.access.allowed_origins import covers, is_web_origin
from sidecar.core.access.credentials import Source
from sidecar.errors import CrossSite

_SAFE = frozenset({"GET", "HEAD"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origins:
    """`allowed` are written as browsers send them, such as https://app.example.com; `*` may stand for a first label."""

    allowed: Collection[str] = ()

    def check(self, request: web.Request, source: Source) -> None:
        """Raises CrossSite for a change with a visitor's cookie that comes from a foreign or opaque origin."""
        if source is not Source.COOKIE or request.method in _SAFE:
            return
        origins = request.headers.getall("Origin", [])
        if self._listed(origins):
            return
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise CrossSite("This may only be asked from a page of this site.")
        if origins and not (len(origins) == 1 and _same(origins[0], request.host)):
            raise CrossSite("This may only be asked from a page of this site.")

    def answer(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Let a listed origin read the answer, and tell caches that it depends on the origin."""
        if not self.allowed:
            return
        response.headers.add(hdrs.VARY, "Origin")
        origins = request.headers.getall("Origin", [])
        if self._listed(origins):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origins[0]
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "Retry-After, X-Request-Id, X-Write-Back"

    def _listed(self, origins: Sequence[str]) -> bool:
        return len(origins) == 1 and covers(self.allowed, origins[0])


def preflights(routes: Iterable[tuple[str, str]]) -> list[web.RouteDef]:
    """Make the routes that answer CORS preflights, one for each path; no upstream is asked."""
    methods: dict[str, list[str]] = {}
    for path, method in routes:
        methods.setdefault(path, []).append(method)
    return [web.options(path, _preflight(", ".join(allowed))) for path, allowed in methods.items()]


def _preflight(methods: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    headers = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: methods,
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Authorization, Content-Type, Idempotency-Key, X-Request-Id",
        hdrs.ACCESS_CONTROL_MAX_AGE: "600",
    }

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=HTTPStatus.NO_CONTENT, headers=headers)

    return answer


def _same(origin: str, host: str) -> bool:
    """Compare host and port; the scheme is unknown behind a proxy that terminates TLS."""
    try:
        page = urlsplit(origin)
        here = urlsplit(f"//{host}")
        ports = {page.port or _DEFAULT_PORTS.get(page.scheme)}
        expected = {here.port} if here.port else set(_DEFAULT_PORTS.values())
    except ValueError:
        return False
    return is_web_origin(origin.lower()) and _rootless(page.hostname) == _rootless(here.hostname) and ports <= expected


def _rootless(host: str | None) -> str | None:
    """Take off the dot for DNS's root, with which a name is the same host."""
    return None if host is None else host.removesuffix(".")
