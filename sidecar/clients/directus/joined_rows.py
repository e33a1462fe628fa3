"""The rows of callers, where equal questions of one caller that wait for Directus are one. Remembers nothing.

A page of a front end asks for several lists at once, and each of them for the same rows.
"""

from collections.abc import Collection, Mapping
from functools import partial

from sidecar.clients.directus.joined_questions import JoinedQuestions
from sidecar.core.access.credentials import Credential
from sidecar.core.access.permissions import Action, AllowedFields
from sidecar.core.interfaces import FirstRows, PrimaryKey, Row, Rows


class JoinedRows:
    """`rows` without a difference to who asks: each answer is from after its request, as if it had asked alone."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._one = JoinedQuestions[Row | None]()
        self._first = JoinedQuestions[FirstRows]()
        self._all = JoinedQuestions[Mapping[str, Row]]()

    async def find(self, credential: Credential, allowed: AllowedFields, customer_id: str) -> Row | None:
        key = (credential, allowed, customer_id)
        return await self._one.ask(key, partial(self._rows.find, credential, allowed, customer_id))

    async def find_first(self, credential: Credential, allowed: AllowedFields) -> FirstRows:
        return await self._first.ask((credential, allowed), partial(self._rows.find_first, credential, allowed))

    async def find_all(self, credential: Credential, allowed: AllowedFields) -> Mapping[str, Row]:
        return await self._all.ask((credential, allowed), partial(self._rows.find_all, credential, allowed))

    async def find_these(
        self, credential: Credential, allowed: AllowedFields, customer_ids: Collection[str]
    ) -> Mapping[str, Row]:
        return await self._rows.find_these(credential, allowed, customer_ids)

    async def may(self, credential: Credential, action: Action, key: PrimaryKey) -> bool:
        return await self._rows.may(credential, action, key)
