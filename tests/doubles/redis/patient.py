"""Runs scripts on a real server without a deadline, for tests of what a script does and not of when it is given up."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

from sidecar.clients.redis.commands import Argument, Away, Reply
from sidecar.clients.redis.connection import Client, open_client
from sidecar.clients.redis.scripts import Script
from sidecar.settings.redis_address import redis_address


class PatientRedis:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> Reply:
        """Raises Away where the script fails."""
        try:
            return await self._client.execute_command("EVAL", script.text, len(keys), *keys, *arguments)
        except RedisError as error:
            raise Away(str(error)) from error


@asynccontextmanager
async def patient_redis(url: str) -> AsyncIterator[PatientRedis]:
    client = open_client(redis_address(url))
    try:
        yield PatientRedis(client)
    finally:
        await client.aclose()
