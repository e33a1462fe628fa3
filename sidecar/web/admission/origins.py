"""Which web pages may use a visitor's session: a browser sends its cookie along with requests from any page.

A request that changes something with the cookie must come from this very origin or from a listed one
(fetch.spec.whatwg.org: `Origin`, `Sec-Fetch-Site`, CORS). A token in a header needs no such check, since no browser
sends one by itself.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network

from aiohttp import hdrs, web

from sidecar.core.access.allowed_origins import covers, is_origin
from sidecar.core.access.client_address import is_trusted
from sidecar.core.access.credentials import Source
from sidecar.core.access.own_origin import is_same_host, own_schemes, scheme_of
from sidecar.errors import CrossSite

_SAFE = frozenset({"GET", "HEAD"})
_LONGEST = 200  # characters of an origin that is logged
_READ = ("Authorization", "Content-Type", "Idempotency-Key", "X-Request-Id")


@dataclass(frozen=True, slots=True)
class Origins:
    """`allowed` are written as browsers send them, such as https://app.example.com; `*` may stand for a first label.

    `trusted` are the proxies whose X-Forwarded-Proto says how a visitor reaches this site.
    """

    allowed: Collection[str] = ()
    trusted: Sequence[IPv4Network | IPv6Network] = ()

    def check(self, request: web.Request, source: Source) -> None:
        """Raises CrossSite for a change with a visitor's cookie that comes from a foreign or opaque origin."""
        if source is not Source.COOKIE or request.method in _SAFE:
            return
        origins = request.headers.getall("Origin", [])
        if self._listed(origins):
            return
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise _foreign(origins)
        if origins and not (len(origins) == 1 and is_same_host(origins[0], request.host)):
            raise _foreign(origins)
        if origins and scheme_of(origins[0]) not in self._schemes(request):
            raise CrossSite(
                "With a visitor's session this may only be asked from a page of this site, by its own scheme: the "
                "proxy must say which in X-Forwarded-Proto, and TRUSTED_PROXIES must name the proxy.",
                reason="foreign_scheme",
                detail=_named(origins),
            )

    def answer(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Let a listed origin read the answer, and tell caches that it depends on the origin."""
        if not self.allowed:
            return
        response.headers[hdrs.VARY] = ", ".join([*response.headers.getall(hdrs.VARY, []), "Origin"])
        origins = request.headers.getall("Origin", [])
        if self._listed(origins):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origins[0]
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "Age, Retry-After, X-Request-Id, X-Write-Back"

    def _schemes(self, request: web.Request) -> Collection[str]:
        believed = is_trusted(request.remote or "", self.trusted)
        return own_schemes(request.headers.getall("X-Forwarded-Proto", []) if believed else [], request.host)

    def _listed(self, origins: Sequence[str]) -> bool:
        return len(origins) == 1 and covers(self.allowed, origins[0])


def _foreign(origins: Sequence[str]) -> CrossSite:
    return CrossSite(
        "With a visitor's session this may only be asked from a page of this site, or of an origin that the operator "
        "of this service lists in ALLOWED_ORIGINS. A token in the Authorization header may come from any page.",
        reason="foreign_origin",
        detail=_named(origins),
    )


def _named(origins: Sequence[str]) -> str:
    """Say for the log what to list; nothing else that a client wrote is logged."""
    named = len(origins) == 1 and len(origins[0]) <= _LONGEST and is_origin(origins[0])
    return f"the origin is {origins[0]}" if named else "no origin that could be listed was sent"


def preflights(routes: Iterable[tuple[str, str, Sequence[str]]]) -> list[web.RouteDef]:
    """Make the routes that answer CORS preflights, one for each path; no upstream is asked.

    `routes` are paths and methods, each with the headers that it reads beside those that every route reads.
    """
    methods: dict[str, list[str]] = {}
    headers: dict[str, list[str]] = {}
    for path, method, more in routes:
        methods.setdefault(path, []).append(method)
        headers.setdefault(path, [*_READ]).extend(more)
    return [web.options(path, _preflight(allowed, headers[path])) for path, allowed in methods.items()]


def _preflight(methods: Sequence[str], read: Sequence[str]) -> Callable[[web.Request], Awaitable[web.Response]]:
    headers = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: ", ".join(methods),
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: ", ".join(read),
        hdrs.ACCESS_CONTROL_MAX_AGE: "600",
    }

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=HTTPStatus.NO_CONTENT, headers=headers)

    return answer
