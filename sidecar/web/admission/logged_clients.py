"""What the log says of a request's client: its address, the network around it, or nothing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from aiohttp import web

from sidecar.core.access.client_address import neighborhood
from sidecar.errors import InvalidPayload
from sidecar.web.admission.remembered import Addresses

Form = Literal["full", "anonymous", "none"]
_SHOWN: Mapping[Form, Callable[[str], str]] = {"full": str, "anonymous": neighborhood}


class LoggedClients:
    """`read` finds the client's address from the connection and from the values of `header`."""

    def __init__(self, form: Form, read: Callable[[str, Sequence[str]], str], header: str) -> None:
        shown = _SHOWN.get(form)
        self._header = header
        self._addresses = None if shown is None else Addresses(lambda peer, said: shown(read(peer, said)))

    def of(self, request: web.Request) -> str | None:
        """Give None where it is not to be logged, or where a proxy says what is no address."""
        if self._addresses is None:
            return None
        try:
            return self._addresses.of(request.remote or "", request.headers.getall(self._header, []))
        except InvalidPayload:
            return None
