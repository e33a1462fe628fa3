"""Names of collections and fields: whatever Directus serves is accepted, and only what cannot work is refused."""

import pytest

from sidecar.settings import Settings, SettingsFault, load
from tests.unit.settings.variables import set_only

NAMES = [
    "shop-customers",
    "2024_customers",
    "kundenübersicht",
    "日本",
    "a&b=c",
    "50%",
    "a#b",
    "$x",
    "a+b",
    "a[b]",
    "_x",
]
# Seen with Directus 11.17: it serves none of these collections.
NO_COLLECTIONS = ["", " ", "a b", "a.b", "..", "a/b", "a?b", "a\nb", "null", "$NOW", "x" * 129]
NO_FIELDS = ["", " ", " a", "a ", "*", "a,b", "a(b)", "a(b", "a)", "a:b", "a?b", "a\nb", "x" * 129]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"DIRECTUS_URL": "http://directus", "STRIPE_LIVE_SECRET_KEY": "sk_test_1"}
    set_only(monkeypatch, {**given, "STRIPE_CUSTOMERS_COLLECTION": "customers"})


def fault(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsFault) as found:
        load(Settings)
    [only] = found.value.faults
    return only


@pytest.mark.parametrize("name", NAMES)
def test_collections_that_directus_serves(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A collection may have any name that Directus serves."""
    monkeypatch.setenv("STRIPE_CUSTOMERS_COLLECTION", name)

    assert load(Settings).customers_collection.name == name


@pytest.mark.parametrize("name", [*(name for name in NAMES if name != "_x"), "Stripe ID", "a/b", "true"])
def test_fields_that_directus_serves(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ID field, the primary key and mapped fields may have any name that Directus serves."""
    monkeypatch.setenv("STRIPE_CUSTOMER_ID_FIELD", name)
    monkeypatch.setenv("STRIPE_CUSTOMERS_PRIMARY_KEY", f"{name}2")
    monkeypatch.setenv("STRIPE_FIELD_MAP", f'{{"{name}3": "name", "_{name}": "email"}}')

    settings = load(Settings)

    assert (settings.customers_collection.id_field, settings.customers_collection.key_field) == (name, f"{name}2")
    assert set(settings.stripe_field_map) == {f"{name}3", f"_{name}"}


@pytest.mark.parametrize("name", [name for name in NO_COLLECTIONS if name])
def test_collections_that_cannot_work(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that Directus does not serve, or that would be another path, is a fault of the setting."""
    assert fault(monkeypatch, "STRIPE_CUSTOMERS_COLLECTION", name).startswith("STRIPE_CUSTOMERS_COLLECTION: must be")


@pytest.mark.parametrize("name", [name for name in [*NO_FIELDS, "_id", "-id"] if name])
def test_fields_that_cannot_work(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is syntax in Directus's lists, filters or sorting is a fault of the setting."""
    assert fault(monkeypatch, "STRIPE_CUSTOMER_ID_FIELD", name).startswith("STRIPE_CUSTOMER_ID_FIELD: must ")


def test_a_field_of_a_related_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dotted ID field is refused with what to do instead."""
    told = fault(monkeypatch, "STRIPE_CUSTOMER_ID_FIELD", "user.stripe_customer_id")

    assert "must be a field of the collection itself" in told
    assert "name the related collection" in told


@pytest.mark.parametrize("path", ["websocket", "ws://directus/websocket", "/web socket", "/websocket?x=1"])
def test_a_path_of_no_websocket(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault says what a path looks like, and that Directus serves no other."""
    told = fault(monkeypatch, "WEBSOCKETS_REST_PATH", path)

    assert told.startswith("WEBSOCKETS_REST_PATH: must be a path that begins with a slash")
