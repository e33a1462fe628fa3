"""How answers are written into Redis, and for how long they count when they are read."""

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.directus.shared_answers import SharedAnswer
from sidecar.clients.redis.answer_form import read_answer, write_answer
from sidecar.clients.redis.names import Unreadable
from sidecar.core.access.permissions import Access, Action, AllowedFields, Grant, Permissions
from sidecar.errors import CredentialRefused

NOW, SKEW, ROUNDING = 1_800_000_000.0, 5.0, 1e-6
NONE = Permissions({})
words = st.text(max_size=10)
grants = st.builds(Grant, st.sampled_from(Access), st.builds(AllowedFields, st.frozensets(words, max_size=3)))
permissions = st.builds(Permissions, st.dictionaries(st.tuples(words, st.sampled_from(Action)), grants, max_size=4))


@given(permissions, st.floats(0, 10), st.floats(0, 60), st.floats(-1, 20))
def test_permissions(said: Permissions, age: float, yes: float, no: float) -> None:
    """What is read at once is what was written."""
    answer = SharedAnswer(said, age, yes, no)

    assert read_answer(write_answer(answer, yes, NOW), yes, NOW) == answer


def test_refusal() -> None:
    """A refusal keeps Directus's own code."""
    read = read_answer(write_answer(SharedAnswer(CredentialRefused("TOKEN_EXPIRED"), 0, 5, 5), 5, NOW), 5, NOW)

    assert isinstance(read.said, CredentialRefused)
    assert read.said.code == "TOKEN_EXPIRED"


@given(
    life=st.floats(0.1, 3600),
    left=st.floats(-1, 1e6),
    later=st.floats(-1e6, 1e6),
)
def test_no_longer_than_written(life: float, left: float, later: float) -> None:
    """An answer never counts longer than it was written for; by a key or a clock that lies at most the skew longer."""
    read = read_answer(write_answer(SharedAnswer(NONE, 0, life, life / 2), life, NOW), left, NOW + later)

    assert read.yes <= life
    assert left > life or read.yes <= left + ROUNDING
    assert read.yes <= life - later + SKEW + ROUNDING
    assert math.isclose(read.age, life - read.yes, abs_tol=ROUNDING)
    assert math.isclose(read.yes - read.no, life / 2, abs_tol=ROUNDING)


def test_clocks_that_differ() -> None:
    """Clocks that differ by less than the skew make no answer live shorter, and the key's own life counts."""
    content = write_answer(SharedAnswer(NONE, 0, 60, 60), 60, NOW)

    assert [read_answer(content, left, NOW + 4).yes for left in (60, 59, 10)] == [60, 59, 10]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not JSON",
        b"null",
        b"[]",
        b"[[], 0, 1, 1, 1]",
        b"[[], 0, 1, 1, 1, 1, 1]",
        orjson.dumps([None, 0, 1, 1, 1, NOW]),
        orjson.dumps([{}, 0, 1, 1, 1, NOW]),
        orjson.dumps([[["customers", "read", 2]], 0, 1, 1, 1, NOW]),
        orjson.dumps([[["customers", "dance", 2, []]], 0, 1, 1, 1, NOW]),
        orjson.dumps([[["customers", "read", 77, []]], 0, 1, 1, 1, NOW]),
        orjson.dumps([[["customers", "read", 2, 5]], 0, 1, 1, 1, NOW]),
        orjson.dumps([[["customers", "read", 2, None]], 0, 1, 1, 1, NOW]),
        orjson.dumps([[[[], "read", 2, []]], 0, 1, 1, 1, NOW]),
        orjson.dumps([[], "0", "1", 1, 1, NOW]),
        orjson.dumps([[], 0, 1, 1, None, NOW]),
    ],
)
def test_unreadable(content: bytes) -> None:
    """Any other content is unreadable, and no exception of another kind."""
    with pytest.raises(Unreadable):
        read_answer(content, 1, NOW)
