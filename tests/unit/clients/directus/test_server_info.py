"""What Directus tells of itself, as observed in versions 11.8, 11.17 and 12.3."""

import pytest

from sidecar.clients.directus.server_info import ServerInfo, parse_version, read_info
from sidecar.clients.http import open_session
from sidecar.errors import DirectusUnavailable
from tests.doubles.directus import INFO, NO_LICENSE, DirectusDouble, User
from tests.doubles.faults import Fault, answer, hang, redirect


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ("11.8.0", (11, 8, 0)),
        ("12.0.0-rc.1", (12, 0, 0)),
        ("11.8", None),
        ("11.8.0.1", None),
        ("16ce7e6a0f913480664418c9d5155265cdb952bf", None),
        ("", None),
        (11, None),
        (None, None),
    ],
)
def test_version(told: object, version: object) -> None:
    """Three numbers at the begin are a version; the hash that newer versions give instead is none."""
    assert parse_version(told) == version


@pytest.mark.parametrize(
    ("version", "too_old"),
    [("11.7.2", True), ("10.13.1", True), ("11.8.0", False), ("11.10.0", False), ("12.0.0", False), (None, False)],
)
def test_the_oldest_version(version: str | None, *, too_old: bool) -> None:
    """Versions are compared by number, and an unknown version is not called old."""
    assert ServerInfo.from_directus({"version": version}).too_old is too_old


@pytest.mark.parametrize(
    ("told", "tells", "unlicensed"),
    [
        (NO_LICENSE, True, True),
        ({"license": {"source": "settings"}}, True, False),
        ({"license": {}}, True, False),
        ({"license": None}, False, False),
        (INFO, False, False),
    ],
)
def test_license(told: object, *, tells: bool, unlicensed: bool) -> None:
    """Only a Directus that says that it has no license has none."""
    info = ServerInfo.from_directus(told)

    assert (info.tells_license, info.unlicensed) == (tells, unlicensed)


@pytest.mark.parametrize(
    ("most", "none"), [(0, True), (0.5, True), (-5, True), (1, False), (-1, False), ("0", False), (None, False)]
)
def test_no_lists(most: object, *, none: bool) -> None:
    """A limit below 1 leaves no list, but for -1, which is no limit."""
    assert ServerInfo.from_directus({"queryLimit": {"default": 100, "max": most}}).gives_no_list is none


@pytest.mark.parametrize("data", [None, [], "", {"websocket": True, "rateLimit": [], "license": 1, "version": {}}])
def test_odd_answers(data: object) -> None:
    """An answer of an unexpected shape tells nothing."""
    info = ServerInfo.from_directus(data)

    assert (info.version, info.websocket_path, info.limit_of_each, info.limit_of_all) == (None, None, None, None)
    assert not info.unlicensed


def test_limits_and_path() -> None:
    """Limits and the WebSocket's path are read as Directus tells them; a limit that is off is none."""
    limits = {"rateLimit": {"points": 50, "duration": 1}, "rateLimitGlobal": {"points": 1000, "duration": 60}}
    info = ServerInfo.from_directus(dict(INFO) | limits)

    assert (info.limit_of_each, info.limit_of_all) == ("50 requests in 1 s", "1000 requests in 60 s")
    assert info.websocket_path == "/websocket"
    assert ServerInfo.from_directus(INFO).limit_of_each is None


async def test_reading_it(directus: DirectusDouble) -> None:
    """With a token Directus tells its version; without one it does not."""
    directus.add_users([User("service", "service")])
    async with open_session(total=5, connect=5, connections=1) as session:
        told = await read_info(session, directus.url, "service")
        untold = await read_info(session, directus.url)

    assert (told.version, untold.version) == ((11, 17, 4), None)
    assert [request.values("Authorization") for request in directus.requests] == [["Bearer service"], []]


@pytest.mark.parametrize(
    "fault", [answer(502, "<html>"), answer(200, "{"), redirect("https://elsewhere.invalid/"), hang]
)
async def test_no_answer(directus: DirectusDouble, fault: Fault) -> None:
    """U1: Whatever is not an answer of Directus's is an outage, and no redirect is followed."""
    directus.fail(fault)
    async with open_session(total=0.3, connect=0.3, connections=1) as session:
        with pytest.raises(DirectusUnavailable):
            await read_info(session, directus.url, "service")
