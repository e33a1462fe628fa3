"""Ends the work for a client that has gone. aiohttp either does so for every request, or for none.

A read ends with its client, wherever it waits; a change that has begun is finished.
"""

import asyncio
from types import TracebackType
from typing import Self

from aiohttp import web

from sidecar.web.server.connection import Connection


class ClientGone(ConnectionError):
    """The client has closed its connection, so there is nobody to answer."""


class Client:
    """The client of the request that a task serves; `left` says that it has gone."""

    __slots__ = ("_connection", "_task", "left")

    def __init__(self, connection: Connection | None, task: asyncio.Task[object] | None) -> None:
        self._connection, self._task = connection, task
        self.left = False

    def leave(self) -> None:
        self.left = True
        if self._task is not None:
            self._task.cancel()

    def ignore(self) -> None:
        """From now on go on without the client. Raises ClientGone if it has left already."""
        self._look_away()
        if self.left:
            raise ClientGone

    def __enter__(self) -> Self:
        if self._connection is not None:
            self._connection.on_lost = self.leave
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._look_away()
        canceled = kind is not None and issubclass(kind, asyncio.CancelledError)
        if canceled and self.left and self._task is not None and self._task.uncancel() == 0:
            raise ClientGone from None

    def _look_away(self) -> None:
        if self._connection is not None:
            self._connection.on_lost = None


def until_client_leaves(request: web.Request) -> Client:
    """Cancel the block when the client leaves; instead of CancelledError it then raises ClientGone."""
    if request.transport is None:
        raise ClientGone  # while the request waited to be served
    connection = request.protocol
    return Client(connection if isinstance(connection, Connection) else None, asyncio.current_task())
