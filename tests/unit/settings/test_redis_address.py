"""Which connection strings REDIS takes, and what is said of others."""

import pytest

from sidecar.settings.redis_address import Kind, RedisAddress, redis_address

GOOD = {
    "redis://localhost": RedisAddress(Kind.SERVER, (("localhost", 6379),)),
    "redis://localhost/": RedisAddress(Kind.SERVER, (("localhost", 6379),)),
    "redis://h.example:6380/2": RedisAddress(Kind.SERVER, (("h.example", 6380),), database=2),
    "rediss://h:1": RedisAddress(Kind.SERVER, (("h", 1),), tls=True),
    "redis://[::1]:7": RedisAddress(Kind.SERVER, (("::1", 7),)),
    "redis://[::1]": RedisAddress(Kind.SERVER, (("::1", 6379),)),
    "redis://u:p@h": RedisAddress(Kind.SERVER, (("h", 6379),), username="u", password="p"),
    "redis://:p@h": RedisAddress(Kind.SERVER, (("h", 6379),), password="p"),
    "redis://u:p%40%2F%3A%23@h": RedisAddress(Kind.SERVER, (("h", 6379),), username="u", password="p@/:#"),
    "redis://u:a:b@h": RedisAddress(Kind.SERVER, (("h", 6379),), username="u", password="a:b"),
    "redis://h?family=0": RedisAddress(Kind.SERVER, (("h", 6379),)),
    "redis+sentinel://a,b:1/main": RedisAddress(Kind.SENTINEL, (("a", 26379), ("b", 1)), service="main"),
    "redis+sentinel://a/my%20main/3": RedisAddress(Kind.SENTINEL, (("a", 26379),), service="my main", database=3),
    "rediss+sentinel://u:p@a/m": RedisAddress(
        Kind.SENTINEL, (("a", 26379),), tls=True, username="u", password="p", service="m"
    ),
    "redis+cluster://a:1,b:2": RedisAddress(Kind.CLUSTER, (("a", 1), ("b", 2))),
    "rediss+cluster://:p@a/0": RedisAddress(Kind.CLUSTER, (("a", 6379),), tls=True, password="p"),
}
LOOK, OPTIONS, SERVERS = "must look like redis://", "must have no options", "must name servers as host"
BAD = {
    "": LOOK,
    "localhost:6379": LOOK,
    "http://MARKED@h": LOOK,
    "redis:/h": LOOK,
    "redis://": LOOK,
    "redis:///0": LOOK,
    "redis+other://h": LOOK,
    "redis://u:MARKED@MARKED@h": LOOK,
    "redis://u:MARKED#MARKED@h": LOOK,
    "redis://u:MARKED/MARKED@h": SERVERS,
    "redis://h#MARKED": LOOK,
    "redis://h?ssl_cert_reqs=none": OPTIONS,
    "redis://h?MARKED": OPTIONS,
    "redis://h:MARKED": SERVERS,
    "redis://h:0": SERVERS,
    "redis://h:65536": SERVERS,
    "redis://h:1:2": SERVERS,
    "redis://MARKED MARKED": SERVERS,
    "redis://::1": SERVERS,
    "redis+cluster://a,,b": SERVERS,
    "redis://a,b": "must name one server",
    "redis://h/MARKED": "must end with the number of a database",
    "redis://h/1/2": "must end with the number of a database",
    "redis://h/-1": "must end with the number of a database",
    "redis://h/1000": "must end with the number of a database",
    "redis+sentinel://a": "must name the service",
    "redis+sentinel://a/": "must name the service",
    "redis+sentinel://a/m/x": "must end with the number of a database",
    "redis+cluster://a/1": "must name no database",
}


@pytest.mark.parametrize("text", GOOD)
def test_good(text: str) -> None:
    """Each form is read with all its parts."""
    assert redis_address(text) == GOOD[text]


@pytest.mark.parametrize("text", BAD)
def test_bad(text: str) -> None:
    """What is wrong is said, and nothing of the text."""
    with pytest.raises(ValueError, match=f"^{BAD[text]}") as caught:
        redis_address(text)

    assert "MARKED" not in str(caught.value)


def test_what_python_shows() -> None:
    """The password is not shown."""
    assert "MARKED" not in repr(redis_address("redis://user:MARKED@h"))
