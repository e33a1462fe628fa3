"""Every command reports a fault in the operator's file, in the same words, before it does anything."""

from pathlib import Path

import pytest

from sidecar.__main__ import main
from sidecar.settings import Settings, load
from tests.unit.settings.variables import set_only

REQUIRED = {
    "DIRECTUS_URL": "http://127.0.0.1:1",
    "STRIPE_CUSTOMERS_COLLECTION": "customers",
    "STRIPE_LIVE_SECRET_KEY": "sk_test_hush",
    "DIRECTUS_ADMIN_TOKEN": "an-admin",
}
COMMANDS = ("serve", "check", "provision", "reconcile")


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the path in STRIPE_OPERATIONS, without a file; no other setting is in the environment."""
    set_only(monkeypatch, REQUIRED)
    path = tmp_path / "operations.toml"
    monkeypatch.setenv("STRIPE_OPERATIONS", str(path))
    return path


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, ["there is no such file; name the path of one, from the folder where the sidecar starts"]),
        ("[customers.retrieve]\n# é".encode("latin-1"), ["the file is not UTF-8; save it in that encoding"]),
        (b"[customers.retrieve]\n[customers.retrieve]", ["[customers.retrieve]: is there twice"]),
        (
            b"[customers.retrieve]\nfields = { mail = 'emial' }",
            ["[customers.retrieve]: fields: mail: Stripe's customer has no attribute emial; did you mean email?"],
        ),
        (
            b"[customers.update]\nset = { tax_exempt = 'none' }\nset.name = 'x'",
            ["[customers.update.set]: has all of its lines in braces; put this one there as well"],
        ),
        (
            b"[customers.update]\n[set]\nname = 'x'\n[[allow]]\nname = 'y'",
            [
                "[set]: belongs to one operation; write it as [refunds.create.set], with the name of yours",
                "[allow]: belongs to one operation; write it as [refunds.create.allow], with the name of yours",
            ],
        ),
        (
            b"[refund.create]\n[customers.retrieve]\naction = 'see'",
            [
                "[refund.create]: there is no such operation; did you mean refunds.create?",
                "[customers.retrieve]: action: must be one of create, read, update, delete, share",
            ],
        ),
    ],
    ids=["missing", "not UTF-8", "twice", "nobody's", "in and out", "outside", "two faults"],
)
def test_every_command_says_the_same(
    file: Path, command: str, content: bytes | None, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A fault of the file is one line on standard error and exit code 2, whichever command reads it."""
    if content is not None:
        file.write_bytes(content)

    code = main([command])

    printed = capsys.readouterr()
    assert (code, printed.out) == (2, "")
    assert printed.err.splitlines()[1:] == [f"  STRIPE_OPERATIONS: {each}" for each in said]


def test_a_directory_is_no_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path that names no file is a fault of the setting."""
    file.mkdir()

    assert main(["provision"]) == 2

    assert "STRIPE_OPERATIONS: the file cannot be read (IsADirectoryError)" in capsys.readouterr().err


def test_pages_to_return_to_belong_to_the_service(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An operation with return addresses is a fault if ALLOWED_RETURN_URLS is not set, next to other faults."""
    file.write_text("[billing_portal_sessions.create]\n")

    assert main(["check"]) == 2

    assert capsys.readouterr().err.splitlines()[1:] == [
        "  STRIPE_OPERATIONS: [billing_portal_sessions.create]: needs ALLOWED_RETURN_URLS"
    ]


@pytest.mark.parametrize("name", ["payment_intents.create", "payment_intents.confirm", "setup_intents.confirm"])
def test_what_may_be_done_without_a_page(file: Path, name: str) -> None:
    """An operation that only may send a browser back needs no ALLOWED_RETURN_URLS."""
    file.write_text(f"[{name}]\n")

    assert name in {rule.operation.name for rule in load(Settings).rules}


@pytest.mark.parametrize("name", ["ephemeral_keys.create", "customer_sessions.create"])
def test_what_is_of_use_for_its_secret_alone(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """S1: An operation whose answer is a secret is a fault until the operator exposes secrets."""
    file.write_text(f"[{name}]\n")

    assert main(["check"]) == 2

    [fault] = capsys.readouterr().err.splitlines()[1:]
    assert fault.startswith(f"  STRIPE_OPERATIONS: [{name}]: needs STRIPE_EXPOSE_CLIENT_SECRET=true")
    monkeypatch.setenv("STRIPE_EXPOSE_CLIENT_SECRET", "true")
    assert name in {rule.operation.name for rule in load(Settings).rules}


def test_what_is_open_to_everybody_needs_the_service_token(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A public operation is a fault without the token by which the public policies are read."""
    file.write_text("[products.list]\ncollection = 'shop'\npublic = true\n")

    assert main(["check"]) == 2

    assert capsys.readouterr().err.splitlines()[1:] == [
        "  STRIPE_OPERATIONS: [products.list]: public: needs DIRECTUS_SERVICE_TOKEN"
    ]


def test_an_item_of_a_new_customer_needs_write_back(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`$item` in `customers.create` is a fault where customers are created without items."""
    file.write_text("[customers.create]\nset.metadata.item = '$item'\n")

    assert main(["check"]) == 2

    assert capsys.readouterr().err.splitlines()[1:] == [
        "  STRIPE_OPERATIONS: [customers.create]: set: metadata.item: $item needs STRIPE_WRITE_BACK"
    ]
