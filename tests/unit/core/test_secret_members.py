"""How client secrets are left out of JSON that is not parsed."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.secret_members import NAME, without_client_secrets

NAMES = st.sampled_from([NAME, NAME, "a", f"{NAME}_", f"a_{NAME}", f" {NAME}", ""])
VALUES = st.recursive(
    st.none() | st.integers() | st.sampled_from([NAME, "x", f"{NAME}:", ",", "é", "a\\b", 'a"b']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: "), ("\r\n,", " :\r")])


def without(value: object) -> object:
    if isinstance(value, dict):
        return {name: without(member) for name, member in value.items() if name != NAME}
    return [without(entry) for entry in value] if isinstance(value, list) else value


@given(st.dictionaries(NAMES, VALUES), SEPARATORS)
def test_members_are_left_out(value: dict[str, object], separators: tuple[str, str]) -> None:
    """O4: what is left is the same JSON without any member of that name; or nothing is said."""
    left = without_client_secrets(json.dumps(value, separators=separators, ensure_ascii=False).encode())

    assert left is None or orjson.loads(left) == without(value)


@pytest.mark.parametrize(
    ("written", "left"),
    [
        (b'{"client_secret":"x","a":1}', b'{"a":1}'),
        (b'{"client_secret":null,"a":1}', b'{"a":1}'),
        (
            b'{"client_secret" \t:\r\n "x, }" , \n"a":1},{"client_secret":"","client_secret":"y","b":2}',
            b'{"a":1},{"b":2}',
        ),
        (b'{"a":{"client_secret":"x","b":[{"client_secret":"y","c":1}]}}', b'{"a":{"b":[{"c":1}]}}'),
        (b'{"a_client_secret":"x","a":"client_secret is"}', b'{"a_client_secret":"x","a":"client_secret is"}'),
        (b"", b""),
    ],
)
def test_bytes_tell(written: bytes, left: bytes) -> None:
    """O4: a text or null that another member follows is left out, however much space there is, at any depth."""
    assert without_client_secrets(written) == left


@pytest.mark.parametrize(
    "written",
    [
        b'{"a":1,"client_secret":"x"}',
        b'{"client_secret":1,"a":1}',
        b'{"client_secret":true,"a":1}',
        b'{"client_secret":{"a":1},"a":1}',
        b'{"client_secret":["x","y"],"a":1}',
        b'{"a":"client_secret","b":1}',
        b'["client_secret",1]',
        b'{"client_secret":"client_secret","a":1}',
        b'{"client_secret":"x\\"","a":1}',
        b'{"a":"\\u0061"}',
    ],
)
def test_only_parsing_can_tell(written: bytes) -> None:
    """O4: whatever else there is of that name, and any backslash, is left to parsing."""
    assert without_client_secrets(written) is None
