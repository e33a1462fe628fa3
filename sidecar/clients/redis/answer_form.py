"""How an answer about permissions is written into Redis, before it is sealed. Times are in seconds."""

import orjson

from sidecar.clients.directus.shared_answers import SharedAnswer
from sidecar.clients.redis.names import Unreadable
from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.errors import CredentialRefused

_SKEW = 5.0  # by which clocks of replicas may differ before answers live shorter for it


def write_answer(answer: SharedAnswer, life: float, now: float) -> bytes:
    """`life` is how long the key will be there from now on, `now` is wall time."""
    said = (
        answer.said.code
        if isinstance(answer.said, CredentialRefused)
        else [
            [collection, action, int(grant.access), sorted(grant.fields.names)]
            for (collection, action), grant in sorted(answer.said.grants.items())
        ]
    )
    return orjson.dumps([said, answer.age, answer.yes, answer.no, life, now])


def read_answer(content: bytes, left: float, now: float) -> SharedAnswer:
    """`left` is how long the key is still there. Raises Unreadable.

    The key's remaining life tells how much time has passed. An attacker who puts an old value back gives the key a new
    life, so the wall clocks tell the least that has passed, as far as they agree.
    """
    try:
        said, age, yes, no, life, written = orjson.loads(content)
        passed = max(life - left, now - written - _SKEW, 0.0)
        return SharedAnswer(_said(said), age + passed, yes - passed, no - passed)
    except (ValueError, TypeError, KeyError) as error:
        raise Unreadable("not written here") from error


def _said(said: object) -> Permissions | CredentialRefused:
    if isinstance(said, str):
        return CredentialRefused(said)
    if not isinstance(said, list):
        raise ValueError("neither grants nor a refusal")  # noqa: TRY004 - as all that is unreadable
    return Permissions(
        {
            (collection, Action(action)): Grant(Access(access), AllowedFields(frozenset(fields)))
            for collection, action, access, fields in said
        }
    )
