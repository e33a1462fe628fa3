"""Names of keys, and the seal of values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.redis.names import PREFIX, VERSION, Names, Seal, Space, Unreadable

SECRET, OTHER = "the-secret-that-replicas-share-is-long", "another-secret-of-32-bytes-or-more"
SPACE = Space.of(SECRET, "permissions", "http://directus", "customers")
parts = st.lists(st.binary(max_size=8), max_size=4)


def test_one_slot() -> None:
    """All names of one use are in one slot of a cluster, and those of another use need not be."""
    names = [SPACE.name("answer", "a"), SPACE.name("answer", "b"), SPACE.name("news")]

    assert {name.split("}")[0] for name in names} == {f"{PREFIX}{{{SPACE.names.tag}"}
    assert len(set(names)) == 3
    assert Names.of(SECRET, "budgets").tag != SPACE.names.tag


@pytest.mark.parametrize(
    "other",
    [
        Space.of(OTHER, "permissions", "http://directus", "customers"),
        Space.of(SECRET, "budgets", "http://directus", "customers"),
        Space.of(SECRET, "permissions", "http://other", "customers"),
        Space.of(SECRET, "permissions", "http://directus", "people"),
        Space.of(SECRET, "permissions", "http://directus", "customers", "people"),
        Space.of(SECRET, "permissions", "http://directuscustomers"),
    ],
)
def test_who_shares(other: Space) -> None:
    """With anything different, even where the parts are divided, names have nothing in common."""
    assert other.name("news") != SPACE.name("news")
    assert other.names.tag != SPACE.names.tag


@given(parts, parts)
def test_no_two_names_meet(first: list[bytes], second: list[bytes]) -> None:
    """Two identities have one name only if they are the same, part by part."""
    assert (SPACE.name("answer", *first) == SPACE.name("answer", *second)) is (first == second)


@given(st.binary(max_size=100), st.text(max_size=20))
def test_seal(content: bytes, name: str) -> None:
    """What is sealed can be opened under its name, is never the same twice, and shows nothing of its content."""
    sealed, again = SPACE.close(name, content), SPACE.close(name, content)

    assert SPACE.open(name, sealed) == content
    assert sealed != again
    assert sealed[:1] == VERSION
    assert len(content) < 4 or content not in sealed


@given(st.binary(max_size=100))
def test_rubbish(content: bytes) -> None:
    """Whatever stands there that was not sealed here is unreadable."""
    with pytest.raises(Unreadable):
        SPACE.open("name", content)


@given(st.data(), st.binary(max_size=40))
def test_changed(data: st.DataObject, content: bytes) -> None:
    """With one bit changed, wherever it is, a value is unreadable, and so is a part of it."""
    sealed = bytearray(SPACE.close("name", content))
    place = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[place // 8] ^= 1 << place % 8

    for value in (bytes(sealed), bytes(sealed[:-1]), bytes(sealed) + b"x"):
        with pytest.raises(Unreadable):
            SPACE.open("name", value)


def test_bound() -> None:
    """A value is unreadable under another name, with another secret, and as one of another version."""
    sealed = SPACE.close("name", b"content")

    for seal, name, value in (
        (Seal(SECRET), "other", sealed),
        (Seal(OTHER), "name", sealed),
        (Seal(SECRET), "name", b"\x02" + sealed[1:]),
    ):
        with pytest.raises(Unreadable):
            seal.open(name, value)


def test_nothing_shows() -> None:
    """Neither names nor what Python shows of them contain what they stand for, or the secret."""
    shown = f"{SPACE.name('token', b'MARKEDtoken')} {SPACE!r}"

    assert not [secret for secret in ("MARKED", SECRET, "customers", "directus") if secret in shown]
