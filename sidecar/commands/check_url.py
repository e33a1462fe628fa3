"""What is wrong with DIRECTUS_URL where no Directus answers: http and https mixed up, a path, the sidecar itself."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

_OURS = "directus-stripe-sidecar"  # what this service's own answers have as Server
_PARTS = ("/admin", "/items", "/graphql", "/server", "/auth", "/users", "/assets")  # of Directus's app and its API
_OTHER = {"http": "https", "https": "http"}
_REDIRECTS = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def url_fault(url: str, status: int, headers: Mapping[str, str]) -> str | None:
    """Say what is wrong with the address by what answers there; None where that says nothing."""
    parts = urlsplit(url)
    if headers.get("Server") == _OURS:
        return "DIRECTUS_URL is the address of a sidecar and not of Directus: set it to Directus's own address"
    if (part := next((part for part in _PARTS if f"{parts.path}/".startswith(f"{part}/")), None)) is not None:
        return f"DIRECTUS_URL ends with {part}, which is a part of Directus: take that away"
    target = urlsplit(headers.get("Location", ""))
    if status in _REDIRECTS and target.scheme == "https" and target.hostname == parts.hostname:
        return _speaks("https")
    return None


async def reach_fault(url: str, error: Exception, ask: Callable[[str], Awaitable[object]]) -> str:
    """Say why there is no answer; `ask` sends a GET."""
    name = f"Directus cannot be reached ({type(error).__name__})"
    host = urlsplit(url).hostname
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"{name}: there is no address for {host}: is the host in DIRECTUS_URL right, and known from here?"
        case aiohttp.ClientConnectorCertificateError():
            return (
                f"{name}: the certificate of {host} is not one that is trusted here: mend it, or name its authority's "
                "certificate in SSL_CERT_FILE"
            )
        case TimeoutError() | ConnectionRefusedError():
            spoken = None
        case _:
            spoken = await _other_scheme(url, ask)
    if spoken is not None:
        return _speaks(spoken)
    inside = "; in a container that is the container itself" if host in _LOOPBACK else ""
    return f"{name}: is it up, is DIRECTUS_URL right{inside}?"


async def _other_scheme(url: str, ask: Callable[[str], Awaitable[object]]) -> str | None:
    """Try the other one of http and https."""
    scheme, _, rest = url.partition("://")
    try:
        await ask(f"{_OTHER[scheme]}://{rest}/server/ping")
    except aiohttp.ClientConnectorCertificateError:
        pass  # spoken, with a certificate that is not trusted here
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None
    return _OTHER[scheme]


def _speaks(scheme: str) -> str:
    return f"what answers at DIRECTUS_URL speaks {scheme}: begin it with {scheme}://"
