"""What a request to create a customer may contain, and how it arrives at Stripe."""

import json

import pytest

from tests.doubles.running_app import CLERK, RunningApp, bearer
from tests.doubles.wire import request_bytes


def members(app: RunningApp) -> list[tuple[str, str]]:
    """Give the form of the one creation at Stripe, decoded."""
    [created] = [request for request in app.stripe.requests if request.method == "POST"]
    return created.form


@pytest.mark.parametrize(
    "headers",
    [[], [("Content-Type", "application/json")], [("Content-Type", "application/json"), ("Content-Length", "0")]],
    ids=["nothing", "type", "length"],
)
async def test_an_empty_body(app: RunningApp, headers: list[tuple[str, str]]) -> None:
    """V1: no body at all is {}, so the answer names what is required."""
    answer = await app.call(CLERK, "/stripe/customers", method="POST", headers=headers)

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert answer.message == "email: is required."


async def test_an_empty_body_in_chunks(app: RunningApp) -> None:
    """V1: a body of no chunks is {} too."""
    headers = [bearer(CLERK.token), ("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]

    answer = await app.send(request_bytes("POST", "/stripe/customers", headers, None) + b"0\r\n\r\n")

    assert answer.message == "email: is required."


async def test_an_empty_form(app: RunningApp) -> None:
    """X2: what a form sends is refused for its content type, with or without a body."""
    headers = [("Content-Type", "application/x-www-form-urlencoded")]

    assert (await app.call(CLERK, "/stripe/customers", method="POST", headers=headers)).status == 415


BROKEN = {
    "not-json": b"email=ada@example.com",
    "half-json": b'{"email": "ada@example.com"',
    "blank": b" ",
    "array": b'["ada@example.com"]',
    "text": b'"ada@example.com"',
    "null": b"null",
    "number": b"1",
    "nan": b'{"email": "ada@example.com", "name": NaN}',
    "infinity": b'{"email": "ada@example.com", "item": -Infinity}',
    "two-values": b'{"email": "ada@example.com"} {}',
    "not-utf-8": b'{"email": "ada@example.com", "name": "\xff"}',
    "utf-16": '{"email": "ada@example.com"}'.encode("utf-16"),
    "deep": b"[" * 30_000 + b"]" * 30_000,
    "deep-in-object": b'{"email":' * 5_000 + b"1" + b"}" * 5_000,
    "half-a-pair": b'{"email": "ada@example.com", "name": "\\ud800"}',
    "half-a-pair-as-name": b'{"email": "ada@example.com", "\\ud800": 1}',
    "duplicate": b'{"email": "ada@example.com", "email": "eve@example.com"}',
    "duplicate-escaped": b'{"email": "ada@example.com", "\\u0065mail": "eve@example.com"}',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
async def test_not_a_json_object(app: RunningApp, body: bytes) -> None:
    """V1: a body that is not one JSON object with each attribute once is 400 and reaches no upstream."""
    answer = await app.post(CLERK, body)

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("email", 1),
        ("email", ["ada@example.com"]),
        ("email", {"email": "ada@example.com"}),
        ("email", None),
        ("email", True),
        ("name", 1),
        ("name", ["Ada"]),
        ("name", ""),
        ("name", "A" * 257),
        ("name", "Ada\r\nBcc: eve@example.com"),
        ("name", "Ada\u2028Lovelace"),
        ("name", "Ada\x00"),
        ("metadata", {"a": "b"}),
        ("source", "tok_visa"),
        ("balance", -100),
        ("test_clock", "clock_1"),
        ("email[]", "eve@example.com"),
        ("__proto__", {}),
        ("item", 1),
    ],
)
async def test_wrong_or_unknown_attribute(app: RunningApp, attribute: str, value: object) -> None:
    """V1: a wrong type or an attribute that may not be set is 400; the message names it and not its value."""
    answer = await app.create(**{attribute: value})

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert attribute in answer.message
    assert "eve@example.com" not in answer.message


async def test_every_fault_is_named(app: RunningApp) -> None:
    """V1: several faults are reported in one answer."""
    answer = await app.create(email="ada", name=1, balance=2)

    assert answer.status == 400
    assert all(name in answer.message for name in ("email", "name", "balance"))


async def test_long_body(app: RunningApp) -> None:
    """V1: 1 MB of body is 413."""
    body = json.dumps({"email": "ada@example.com", "name": "A" * 1_000_000}).encode()
    headers = [("Content-Type", "application/json")]

    answer = await app.call(CLERK, "/stripe/customers", method="POST", headers=headers, body=body)

    assert (answer.status, answer.code) == (413, "CONTENT_TOO_LARGE")


EMAILS = {
    "empty": "",
    "blank": " ",
    "no-at": "ada.example.com",
    "two-at": "ada@home@example.com",
    "no-domain": "ada@",
    "no-name": "@example.com",
    "no-dot": "ada@example",
    "comma": "ada@example.com,eve@example.com",
    "space": "ada lovelace@example.com",
    "line-feed": "ada@example.com\n",
    "header": "ada@example.com\r\nBcc: eve@example.com",
    "null": "ada@example.com\x00",
    "600-characters": "a" * 588 + "@example.com",
    "display-name": "Ada <ada@example.com>",
}


@pytest.mark.parametrize("email", EMAILS.values(), ids=EMAILS)
async def test_unusable_email(app: RunningApp, email: str) -> None:
    """V2: an invalid e-mail address is 400."""
    answer = await app.create(email=email)

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert "email" in answer.message


async def test_missing_email(app: RunningApp) -> None:
    """V2: a customer needs an e-mail address."""
    answer = await app.post(CLERK, b'{"name": "Ada"}')

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")


NAMES = {
    "emoji": "Ada 👩‍🔬🏳️‍🌈",
    "right-to-left": "آدا לאבלייס",
    "quotes": 'O\'Brien "Ada" `x` \\',
    "markup": "<b>Ada</b> &amp;",
    "form": "a&email=eve@example.com&b[c]=d=e;f+g%26h",
    "brackets": "metadata[directus_item]=1",
    "separators": "=&[]=&",
    "combining": "Zalg\u0334o\u0301",
    "spaces": "  Ada   Lovelace ",
    "percent": "100%41%",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_name_arrives_as_one_literal_value(app: RunningApp, name: str) -> None:
    """V2, V3: a name with any script, quotes, `&`, `=`, `[` or `]` is one value at Stripe, as it was sent."""
    answer = await app.create(name=name)

    assert (201, name) == (answer.status, answer.json()["name"])
    assert [("email", "ada@example.com"), ("name", name)] == members(app)


@pytest.mark.parametrize("email", ["a+b=c@example.com", "o'brien@example.com", "x&y@example.com", "grüße@example.com"])
async def test_email_arrives_as_one_literal_value(app: RunningApp, email: str) -> None:
    """V3: an address with characters of a form's syntax is one value at Stripe."""
    answer = await app.create(email=email)

    assert answer.status == 201
    assert [("email", email)] == members(app)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
        "application/json-patch+json",
        "application/xml",
        "",
    ],
)
@pytest.mark.parametrize("place", ["cookie", "header"])
async def test_other_content_types(app: RunningApp, content_type: str, place: str) -> None:
    """X2: a body of a content type that a form or a simple script can send is 415, even if it is JSON."""
    cookie = ("Cookie", f"directus_session_token={CLERK.token}")
    headers = [("Content-Type", content_type), *([cookie] if place == "cookie" else [])]
    user = CLERK if place == "header" else None
    body = b'{"email": "ada@example.com"}'

    answer = await app.call(user, "/stripe/customers", method="POST", headers=headers, body=body)

    assert (answer.status, answer.code) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_no_content_type(app: RunningApp) -> None:
    """X2: a body without a content type is 415."""
    answer = await app.call(CLERK, "/stripe/customers", method="POST", body=b'{"email": "ada@example.com"}')

    assert answer.status == 415


async def test_content_type_with_charset(app: RunningApp) -> None:
    """The charset parameter of the content type does no harm."""
    answer = await app.post(CLERK, b'{"email": "ada@example.com"}', "application/json; charset=utf-8")

    assert answer.status == 201
