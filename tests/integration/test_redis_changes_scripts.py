"""The scripts about changes, on the double in memory and on a real server, which must agree."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from time import time
from typing import Protocol

import pytest
from redis.asyncio import Redis as Client
from redis.exceptions import RedisError

from sidecar.clients.redis.changes import AGE, LIFE, TELL
from sidecar.clients.redis.commands import Argument, Away, Reply
from sidecar.clients.redis.scripts import Script
from tests.doubles.redis.memory import RedisMemory
from tests.doubles.redis.security import Security
from tests.doubles.redis.server import RedisServer, redis_server_with

NAME = "sidecar:{tag}:changes"
SECOND = 1_000_000  # microseconds
ONLY = f"~sidecar:* resetchannels -@all +ping +eval +evalsha +get +set +time"
