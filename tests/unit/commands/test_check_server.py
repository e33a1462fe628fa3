"""What `check` says of Directus's version, license and limits, and of nodes and proxies in front of it."""

from collections.abc import Mapping

import pytest
from pydantic import SecretStr

from sidecar.clients.directus.server_info import ServerInfo
from sidecar.clients.http import open_session
from sidecar.commands.check_address import address_line, believes, proxy_in_front
from sidecar.commands.check_directus import directus_lines
from sidecar.commands.check_nodes import differing, hosts, node_lines
from sidecar.commands.check_reach import open_info
from sidecar.commands.check_server import license_lines, limit_lines, version_line
from sidecar.commands.lines import Line, Word
from sidecar.settings import Settings
from tests.doubles.directus import INFO, NO_LICENSE, DirectusDouble, User, full, grants
from tests.doubles.faults import answer
from tests.doubles.server import Recorded

LIMITED = ServerInfo.from_directus({"rateLimit": {"points": 50, "duration": 1}})
BARE = {"X-Powered-By": "Directus", "Connection": "keep-alive", "Keep-Alive": "timeout=5"}


def settings_for(url: str = "http://127.0.0.1:1", **changes: object) -> Settings:
    values = {
        "directus_url": url,
        "stripe_live_secret_key": SecretStr("rk_test_x"),
        "stripe_customers_collection": "customers",
    }
    return Settings.model_validate(values | changes)


async def asked(settings: Settings) -> list[Line]:
    async with open_session(total=5, connect=5, connections=1) as session:
        return [line async for line in directus_lines(settings, session)]


def policies(request: Recorded) -> bool:
    return request.path == "/policies"


@pytest.mark.parametrize(
    ("told", "word", "text"),
    [
        ({"version": "11.7.2"}, Word.FAULT, "is version 11.7.2: update it to 11.8.0 or newer"),
        ({"version": "11.8.0"}, Word.OK, "is version 11.8.0"),
        (NO_LICENSE, Word.OK, "is version 12 or newer"),
        ({}, Word.NOTE, "does not tell its version; it must be 11.8.0 or newer"),
    ],
)
def test_version(told: object, word: Word, text: str) -> None:
    """A version before the oldest is a fault, and one that is not told is a note."""
    line = version_line(ServerInfo.from_directus(told))

    assert (line.word, text in line.text) == (word, True)


async def test_nothing_after_an_old_version(directus: DirectusDouble) -> None:
    """With a Directus that is too old nothing else is looked at."""
    directus.fail(answer(403, '{"errors": []}'), when=policies)
    directus.info["version"] = "11.1.0"
    directus.add_users([User("service", "service", grants(read=full()))])

    _, line, *others = await asked(settings_for(directus.url, directus_service_token=SecretStr("service")))

    assert (line.word, others) == (Word.FAULT, [])
    assert "11.1.0" in line.text


async def test_no_lists(directus: DirectusDouble) -> None:
    """A Directus that refuses every list is named as such, and not as a wrong DIRECTUS_URL."""
    directus.fail(answer(400, '{"errors": [{"message": "", "extensions": {"code": "INVALID_QUERY"}}]}'), when=policies)

    [line] = await asked(settings_for(directus.url))

    assert line.word is Word.FAULT
    assert "QUERY_LIMIT_MAX" in line.text


async def test_an_old_version_without_a_token(directus: DirectusDouble) -> None:
    """Old versions tell nobody their number in /server/info, but in the description of their API."""
    directus.fail(answer(403, '{"errors": []}'), when=policies)
    directus.fail(answer(200, '{"info": {"version": "11.1.0"}}'), when=lambda request: "oas" in request.target)

    _, line, *others = await asked(settings_for(directus.url))

    assert (line.word, [other.word for other in others]) == (Word.FAULT, [])
    assert "11.1.0" in line.text


async def test_a_description_without_a_version(directus: DirectusDouble) -> None:
    """The hash in the description of newer versions is no version."""
    directus.fail(answer(200, '{"info": {"version": "16ce7e6a0f91"}}'), when=lambda request: "oas" in request.target)
    async with open_session(total=5, connect=5, connections=1) as session:
        info = await open_info(settings_for(directus.url), session)

    assert (info.version, info.too_old) == (None, False)


async def test_no_license_without_a_token(directus: DirectusDouble) -> None:
    """A Directus 12 without license says so to everybody, and the note says what a license adds."""
    directus.fail(answer(403, '{"errors": []}'), when=policies)
    directus.license = dict(NO_LICENSE)

    lines = await asked(settings_for(directus.url))

    [note] = [line.text for line in lines if "no license" in line.text]
    assert "A license adds own rows and the service token" in note
    assert Word.FAULT not in [line.word for line in lines]


def test_a_license() -> None:
    """With a license, and before Directus 12, there is nothing to say of it."""
    assert [*license_lines(ServerInfo.from_directus({"license": {"source": "env"}}))] == []
    assert [*license_lines(ServerInfo.from_directus(INFO))] == []


@pytest.mark.parametrize(("believed", "word"), [(True, Word.OK), (None, Word.NOTE), (False, Word.FAULT)])
def test_one_limit_for_all(*, believed: bool | None, word: Word) -> None:
    """Directus limits by client address, so a limit is a fault where it does not believe addresses."""
    [line] = limit_lines(LIMITED, believed=believed)

    assert line.word is word
    assert "50 requests in 1 s" in line.text
    assert ("all callers share" in line.text) is (believed is not True)


def test_global_limit() -> None:
    """The limit of all requests together is a note, whether addresses are believed or not."""
    info = ServerInfo.from_directus({"rateLimit": False, "rateLimitGlobal": {"points": 1000, "duration": 1}})

    [line] = limit_lines(info, believed=True)

    assert line.word is Word.NOTE
    assert "RATE_LIMITER_GLOBAL_POINTS" in line.text


def test_no_limit() -> None:
    """Without a limit there is nothing to say, even if addresses are not believed."""
    assert [*limit_lines(ServerInfo.from_directus(INFO), believed=False)] == []


def test_no_finding_where_nothing_can_be_seen() -> None:
    """Rights at an address that nobody has show disbelief only if the policy cannot include that address."""
    settings = settings_for()
    seen: dict[str, object] = {"customers": {}}

    assert believes(settings, seen, provisioned=True) is False
    assert believes(settings, seen, provisioned=False) is None
    assert believes(settings, {}, provisioned=False) is True
    assert believes(settings, None, provisioned=True) is False
    assert address_line(settings, believed=None, proxy=None).word is Word.NOTE


@pytest.mark.parametrize(
    ("proxy", "custom", "first", "second"),
    [
        (None, None, "IP_TRUST_PROXY must trust the sidecar", "must not overwrite X-Forwarded-For"),
        (
            "Server: nginx",
            None,
            "the proxy in front of it (Server: nginx) must append to X-Forwarded-For",
            "IP_TRUST_PROXY",
        ),
        (None, "X-Client", "IP_CUSTOM_HEADER must be X-Client", "must not overwrite X-Client"),
        ("Via: 1.1 x", "X-Client", "must pass X-Client on as it came", "IP_CUSTOM_HEADER must be X-Client"),
    ],
)
def test_why_addresses_are_not_believed(proxy: str | None, custom: str | None, first: str, second: str) -> None:
    """A proxy that shows in the answers is named first, Directus's own setting first where none shows."""
    line = address_line(settings_for(ip_custom_header=custom), believed=False, proxy=proxy)

    assert line.word is Word.FAULT
    assert 0 < line.text.index(first) < line.text.index(second)


@pytest.mark.parametrize(
    ("url", "headers", "proxy"),
    [
        ("http://directus:8055", BARE, None),
        ("http://directus:8055", BARE | {"Server": "nginx/1.22.1"}, "Server: nginx/1.22.1"),
        ("http://directus:8055", BARE | {"Via": "1.1 Caddy"}, "Via: 1.1 Caddy"),
        ("https://directus.example.com", BARE, "it speaks https, Directus itself does not"),
        ("http://directus:8055", {"X-Powered-By": "Directus"}, "it answers without Node's Keep-Alive"),
        ("http://directus:8055", {"Server": "a\x1b[31m\n" + "b" * 99}, f"Server: a31m{'b' * 36}"),
    ],
)
def test_a_proxy_in_front(url: str, headers: Mapping[str, str], proxy: str | None) -> None:
    """What a bare Directus does not send shows a proxy, and its words are shown cleaned."""
    assert proxy_in_front(url, headers) == proxy


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (["a", "b", "a", "b"], True),
        (["a", "a", "a", "a"], False),
        (["a", "b", "c", "d"], False),
    ],
)
@pytest.mark.parametrize(
    ("header", "names_a_node"),
    [
        ("X-Upstream", True),
        ("X-Backend-Server", True),
        ("X-Served-By", True),
        ("Date", False),
        ("X-Response-Time", False),
    ],
)
def test_headers_that_name_a_node(header: str, values: list[str], *, names_a_node: bool, named: bool) -> None:
    """A header that names a node counts if its values repeat and differ; what differs each time names none."""
    found = differing([{header: value} for value in values])

    assert found == (header if named and names_a_node else None)


@pytest.mark.parametrize(
    ("addresses", "count"),
    [
        ([(2, "192.0.2.1"), (10, "2001:db8::1"), (2, "192.0.2.1")], 1),
        ([(2, "192.0.2.1"), (2, "192.0.2.2"), (10, "2001:db8::1")], 2),
        ([(10, "2001:db8::1"), (10, "2001:db8::2"), (10, "2001:db8::3")], 3),
        ([], 0),
    ],
)
def test_addresses_of_a_name(addresses: list[tuple[int, str]], count: int) -> None:
    """One host may have an IPv4 and an IPv6 address; several of one kind may be several hosts."""
    assert hosts(addresses) == count


async def test_one_node(directus: DirectusDouble) -> None:
    """One Directus at one address gives no line, and is asked a few times without a token."""
    async with open_session(total=5, connect=5, connections=1) as session:
        lines = [line async for line in node_lines(settings_for(directus.url), session)]

    assert lines == []
    assert {request.target for request in directus.requests} == {"/server/ping"}
    assert [request for request in directus.requests if request.values("Authorization")] == []
