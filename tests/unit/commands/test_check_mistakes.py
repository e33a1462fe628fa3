"""What people get wrong between the sidecar, Directus and Stripe, and the line of `check` that each is told."""

import json
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from sidecar import opening
from sidecar.clients.directus.client import DirectusAnswer
from sidecar.clients.http import open_session
from sidecar.commands.check_collection import key_line, missing_field_line, missing_line
from sidecar.commands.check_cookie import cookie_lines
from sidecar.commands.check_customers import customer_lines
from sidecar.commands.check_directus import directus_lines
from sidecar.commands.check_map import map_lines
from sidecar.commands.check_url import url_fault
from sidecar.commands.lines import Line, Word
from sidecar.commands.seen_policies import SeenPolicy
from sidecar.core.access.permissions import Access, AllowedFields, Grant, Permissions
from sidecar.settings import Settings
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble, User, full, grants
from tests.doubles.redis.certificates import certificates
from tests.doubles.running_app import whole_app
from tests.doubles.stripe import StripeDouble

SPEAKS = "what answers at DIRECTUS_URL speaks {0}: begin it with {0}://"


def settings_of(**changes: object) -> Settings:
    required = {
        "directus_url": "http://directus:8055",
        "stripe_customers_collection": "customers",
        "stripe_live_secret_key": SecretStr("sk_test_double"),
        "sidecar_port": 1,
    }
    return Settings.model_validate(required | changes)


async def asked(**changes: object) -> list[Line]:
    async with open_session(total=5, connect=5, connections=1) as session:
        return [line async for line in directus_lines(settings_of(**changes), session)]


async def test_the_sidecars_own_address(directus: DirectusDouble, stripe: StripeDouble) -> None:
    """A sidecar that answers at DIRECTUS_URL is told from an old Directus."""
    async with whole_app(directus, stripe) as app:
        lines = await asked(directus_url=f"http://127.0.0.1:{app.port}")

    assert lines == [
        Line(
            Word.FAULT, "DIRECTUS_URL is the address of a sidecar and not of Directus: set it to Directus's own address"
        )
    ]


@pytest.mark.parametrize(
    ("url", "status", "location", "fault"),
    [
        ("http://cms/admin", 200, "", "DIRECTUS_URL ends with /admin, which is a part of Directus: take that away"),
        ("http://cms/items", 403, "", "DIRECTUS_URL ends with /items, which is a part of Directus: take that away"),
        ("http://cms", 301, "https://cms/policies", SPEAKS.format("https")),
        ("http://cms", 302, "https://login.example.com/", None),
        ("http://cms/administration", 200, "", None),
    ],
)
def test_an_address_that_leads_elsewhere(url: str, status: int, location: str, fault: str | None) -> None:
    """A path of Directus's app or API is told, and so is a redirection to https on the same host."""
    assert url_fault(url, status, {"Location": location}) == fault


async def test_https_where_http_answers(directus: DirectusDouble) -> None:
    """A Directus without TLS that is named with https is one fault, which says so."""
    lines = await asked(directus_url=directus.url.replace("http:", "https:"))

    assert lines == [Line(Word.FAULT, SPEAKS.format("http"))]


@asynccontextmanager
async def with_tls(folder: Path) -> AsyncIterator[int]:
    made, context = certificates(folder), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    runner = web.AppRunner(web.Application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_http_where_https_answers(tmp_path: Path) -> None:
    """A server with TLS that is named with http is one fault, though its certificate is not trusted here."""
    async with with_tls(tmp_path) as port:
        lines = await asked(directus_url=f"http://127.0.0.1:{port}")

    assert lines == [Line(Word.FAULT, SPEAKS.format("https"))]


async def test_a_certificate_that_is_not_trusted(tmp_path: Path) -> None:
    """A certificate of an authority that this machine does not know is told from a server that is down."""
    async with with_tls(tmp_path) as port:
        [line] = await asked(directus_url=f"https://127.0.0.1:{port}")

    assert line.text == (
        "Directus cannot be reached (ClientConnectorCertificateError): the certificate of 127.0.0.1 is not one that is "
        "trusted here: mend it, or name its authority's certificate in SSL_CERT_FILE"
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9", "is it up, is DIRECTUS_URL right; in a container that is the container itself?"),
        (
            "http://directus.invalid",
            "there is no address for directus.invalid: is the host in DIRECTUS_URL right, and known from here?",
        ),
    ],
)
async def test_nothing_answers(url: str, said: str) -> None:
    """A port on which nothing listens and a host that nobody knows are told apart."""
    [line] = await asked(directus_url=url)

    assert line.text.endswith(f"): {said}")


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        ("directus_session_token", None, "Directus reads sessions from the cookie directus_session_token"),
        ("sid", "sid", "Directus reads sessions from the cookie sid"),
        (
            "directus_session_token",
            "sid",
            (
                "Directus does not read sessions from the cookie sid, but from directus_session_token: take "
                "SESSION_COOKIE_NAME away here"
            ),
        ),
        (
            "sid",
            None,
            (
                "Directus does not read sessions from the cookie directus_session_token, so no visitor is recognized "
                "by it: set SESSION_COOKIE_NAME here as there, and let proxies pass cookies on"
            ),
        ),
    ],
)
async def test_the_cookie(directus: DirectusDouble, theirs: str, ours: str | None, said: str) -> None:
    """Whether Directus reads sessions from our cookie shows without a login and without a token."""
    directus.session_cookie = theirs
    settings = settings_of(directus_url=directus.url, **({} if ours is None else {"session_cookie_name": ours}))
    async with open_session(total=5, connect=5, connections=1) as session:
        lines = [line async for line in cookie_lines(settings, session)]

    assert lines == [Line(Word.FAULT if "not" in said else Word.OK, said)]


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (["clients", "directus_roles"], "; did you mean clients?"),
        (["orders", "directus_roles"], "; it may read orders."),
        (["directus_roles"], "."),
    ],
)
def test_a_misspelt_collection(seen: Sequence[str], said: str) -> None:
    """A collection that is not there is one that may be misspelt, and nothing is advised that would make it."""
    permissions = Permissions.from_directus({name: {"read": full("id")} for name in seen}, seen)

    assert missing_line("cleints", permissions) == Line(
        Word.FAULT,
        f"cleints is not there, or the service token may not read it{said} Correct STRIPE_CUSTOMERS_COLLECTION if it "
        "is misspelt; for a collection that is there, run `provision`, which lets the token read it (`provision "
        "--create-collection` makes a new one)",
    )


async def nothing(_path: str, _address: str | None) -> DirectusAnswer:
    """Answer as Directus does about a field that is not there, or hidden."""
    return DirectusAnswer(403, {"errors": []}, "FORBIDDEN", None)


async def test_a_misspelt_id_field() -> None:
    """The field that is meant is named before `provision` is, which would make the misspelt one."""
    line = await missing_field_line(
        settings_of(stripe_customer_id_field="stripe_custmer"), nothing, ["id", "stripe_customer"]
    )

    assert line == Line(
        Word.FAULT,
        "customers.stripe_custmer is not there, or the service token may not read it; did you mean stripe_customer? "
        "Correct STRIPE_CUSTOMER_ID_FIELD if it is misspelt; otherwise run `provision`, which makes it and lets the "
        "token read it",
    )


@pytest.mark.parametrize(
    ("key", "mend"),
    [
        ("uuid", "it is uuid: set STRIPE_CUSTOMERS_PRIMARY_KEY=uuid"),
        (
            "hidden",
            "or the service token may not read it: correct STRIPE_CUSTOMERS_PRIMARY_KEY, then run `provision`",
        ),
    ],
)
async def test_another_primary_key(key: str, mend: str) -> None:
    """Where the token sees the primary key, it is named."""

    async def ask(path: str, _address: str | None) -> DirectusAnswer:
        name = path.rpartition("/")[2]
        return DirectusAnswer(200, {"data": {"field": name, "schema": {"is_primary_key": name == key}}}, None, None)

    line = await key_line(settings_of(), ask, ["name", "uuid"])

    assert line == Line(Word.FAULT, f"customers.id is not the primary key, {mend}")


def policy(*fields: str) -> SeenPolicy:
    made = SeenPolicy("members")
    made.add("read", list(fields), {"id": {"_eq": 1}})
    return made


@pytest.mark.parametrize(
    ("fields", "shown", "policies", "word", "said"),
    [
        (["*"], ["id", "name"], None, Word.FAULT, "customers has no field nme; did you mean name?"),
        (
            ["*"],
            ["id", "title"],
            None,
            Word.FAULT,
            "customers has no field nme; make it in Directus, or take it out of the map",
        ),
        (
            ["id"],
            ["id"],
            [policy("id", "name")],
            Word.FAULT,
            (
                "no policy names a field nme of customers; did you mean name? Correct it, or, if it is right, name it "
                "in the policy of those who may read it"
            ),
        ),
        (
            ["id"],
            ["id"],
            [policy("*")],
            Word.NOTE,
            (
                "whether customers has a field nme cannot be seen with the service token, and no policy names it: look "
                "at its name in Directus"
            ),
        ),
    ],
)
def test_a_misspelt_field_of_the_map(
    fields: list[str], shown: list[str], policies: list[SeenPolicy] | None, word: Word, said: str
) -> None:
    """A name of the map that the collection lacks, or that no policy has, is told with the one that may be meant."""
    read = Grant(Access.FULL, AllowedFields(frozenset(fields)))

    lines = map_lines(settings_of(stripe_field_map={"nme": "name"}), read, shown, policies)

    assert list(lines) == [Line(word, f"STRIPE_FIELD_MAP: {said}")]


def test_a_map_that_is_right() -> None:
    """Fields that are there are one line, and of the default map nothing is said."""
    read = Grant(Access.FULL, AllowedFields(frozenset(["*"])))

    named = map_lines(settings_of(stripe_field_map={"title": "name"}), read, ["id", "title"], None)
    default = map_lines(settings_of(), read, ["id"], None)

    assert list(named) == [Line(Word.OK, "customers has the fields of STRIPE_FIELD_MAP")]
    assert list(default) == []


@pytest.mark.parametrize(("key", "theirs"), [("sk_test_double", "live"), ("sk_live_double", "test")])
async def test_customers_of_the_other_mode(
    directus: DirectusDouble, stripe: StripeDouble, key: str, theirs: str
) -> None:
    """A key of one mode beside customers of the other is told as that, by Stripe's own word."""
    ours = "test" if theirs == "live" else "live"
    directus.add_users([User("service", "service", grants(read=full("id", "stripe_customer_id")))])
    item = directus.add_row(stripe_customer_id="cus_1")["id"]
    message = (
        f"No such customer: 'cus_1'; a similar object exists in {theirs} mode, but a {ours} mode key was used to make "
        "this request."
    )
    error = {"type": "invalid_request_error", "code": "resource_missing", "param": "id", "message": message}
    stripe.fail(faults.answer(404, json.dumps({"error": error})))
    settings = settings_of(
        directus_url=directus.url,
        directus_service_token=SecretStr("service"),
        stripe_live_secret_key=SecretStr(key),
        stripe_api_base=stripe.url,
    )
    async with opening.directus_session(settings) as to_directus, opening.stripe_session(settings) as to_stripe:
        [line] = [line async for line in customer_lines(settings, to_directus, to_stripe)]

    assert line == Line(
        Word.FAULT,
        f"1 of 1 items of customers that were looked at name customers of {theirs} mode (item {item}: cus_1), and the "
        f"key is one of {ours} mode: set STRIPE_LIVE_SECRET_KEY to the account's key of {theirs} mode, or use this key "
        "with a database of its own",
    )
