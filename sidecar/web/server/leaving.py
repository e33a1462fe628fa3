"""Ends the work for a client that has gone. aiohttp either does so for every request, or for none.

A read ends with its client, wherever it waits; a change that has begun is finished.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from sidecar.web.server.connection import Connection


class ClientGone(ConnectionError):
    """The client has closed its connection, so there is nobody to answer."""


class Client:
    """The client of the request that `task` serves."""

    def __init__(self, connection: Connection | None, task: asyncio.Task[object] | None) -> None:
        self._connection, self._task = connection, task
        self.left = False

    def leave(self) -> None:
        self.left = True
        if self._task is not None:
            self._task.cancel()

    def ignore(self) -> None:
        """From now on go on without the client. Raises ClientGone if it has left already."""
        if self._connection is not None:
            self._connection.on_lost = None
        if self.left:
            raise ClientGone


@contextmanager
def until_client_leaves(request: web.Request) -> Iterator[Client]:
    """Cancel the block when the client leaves; instead of CancelledError it then raises ClientGone."""
    connection, task = request.protocol, asyncio.current_task()
    watched = connection if isinstance(connection, Connection) else None
    client = Client(watched, task)
    if request.transport is None:
        raise ClientGone  # while the request waited to be served
    if watched is not None:
        watched.on_lost = client.leave
    try:
        yield client
    except asyncio.CancelledError:
        if client.left and task is not None and task.uncancel() == 0:
            raise ClientGone from None
        raise
    finally:
        if watched is not None:
            watched.on_lost = None
