"""Operations with a deciding collection of their own: `provision` prepares it, every command reports its absence."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.demo.admin import DirectusError, Rule
from deploy.demo.progress import Fault
from deploy.demo.stack import Stack
from tests.integration.asking import ask, served
from tests.integration.commands import Place, place, run, token_of
from tests.integration.conftest import Newcomer, StartSidecar

_RULES = """
[customers.retrieve]

[balance_transactions.list]
collection = "{collection}"
"""


@pytest.fixture
async def books(stack: Stack) -> AsyncIterator[Place]:
    """A collection of the project, with a primary key that is not called id."""
    async with place(stack, prefix="books") as new:
        yield new


@pytest.fixture
def rules(books: Place, tmp_path: Path) -> str:
    path = tmp_path / "operations.toml"
    path.write_text(_RULES.format(collection=books.collection))
    return str(path)


async def create(books: Place) -> None:
    key = {"field": "number", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}}
    new = {"collection": books.collection, "schema": {}, "meta": {}, "fields": [key]}
    await books.stack.admin.request("POST", "/collections", new)


async def test_an_unknown_collection(stack: Stack, books: Place, rules: str, start_sidecar: StartSidecar) -> None:
    """Provision, check and the start each name the rule with an unknown collection."""
    said = f"[balance_transactions.list]: Directus has no collection {books.collection}"

    provisioned = await Place(stack, books.admin_token, "customers").provision(STRIPE_OPERATIONS=rules)
    checked = await run("check", **{**stack.settings, "STRIPE_OPERATIONS": rules})
    with pytest.raises(Fault) as ended:
        await start_sidecar(STRIPE_OPERATIONS=rules)

    assert (provisioned.code, said in provisioned.texts("FAULT")) == (1, True)
    said = f"[balance_transactions.list]: Directus shows no collection {books.collection}"
    assert (checked.code, said in checked.texts("FAULT")) == (1, True)
    assert said in str(ended.value)


async def test_provision_checks_before_it_creates(stack: Stack, books: Place, tmp_path: Path) -> None:
    """Provision names every missing collection and field before it creates anything, even the customers collection."""
    await create(books)
    path = tmp_path / "operations.toml"
    path.write_text(
        f"[refunds.create]\ncollection = '{books.collection}'\nfields = {{ numbr = 'status', number = 'id' }}\n"
        "[balance_transactions.list]\ncollection = 'nowhere'\n"
    )
    async with place(stack) as buyers:
        ended = await buyers.provision(STRIPE_OPERATIONS=str(path))
        there = {row["collection"] for row in await stack.admin.request("GET", "/collections")}

    field = f"[refunds.create]: fields: {books.collection} has no field numbr; did you mean number?"
    collection = "[balance_transactions.list]: Directus has no collection nowhere; create it"
    assert ended.code == 1
    assert [word for word, _ in ended.lines] == ["FAULT", "FAULT"]
    assert f"STRIPE_OPERATIONS: {collection}" in ended.texts("FAULT")
    assert f"STRIPE_OPERATIONS: {field}" in ended.texts("FAULT")
    assert buyers.collection not in there


async def test_check_sees_fields_with_a_token_that_sees_all(stack: Stack, books: Place, tmp_path: Path) -> None:
    """With a service token that may read a whole collection, `check` names a missing field."""
    await create(books)
    path = tmp_path / "operations.toml"
    path.write_text(f"[refunds.create]\ncollection = '{books.collection}'\nfields = {{ numbr = 'status' }}\n")
    settings = {
        **stack.settings,
        "STRIPE_OPERATIONS": str(path),
        "DIRECTUS_SERVICE_TOKEN_FILE": "",
        "DIRECTUS_SERVICE_TOKEN": books.admin_token,
    }

    checked = await run("check", **settings)

    assert f"[refunds.create]: fields: {books.collection} has no field numbr; did you mean number?" in checked.texts(
        "FAULT"
    )


async def test_a_collection_that_decides(stack: Stack, rules: str, books: Place, newcomer: Newcomer) -> None:
    """After `provision` the token sees that the collection exists and no item of it; its permissions decide."""
    await create(books)
    await stack.admin.request("POST", f"/items/{books.collection}", {})
    async with place(stack) as buyers:
        ended = await buyers.provision(STRIPE_OPERATIONS=rules)
        settings = {**stack.settings, **buyers.settings}
        settings |= {
            "STRIPE_OPERATIONS": rules,
            "DIRECTUS_SERVICE_TOKEN_FILE": "",
            "DIRECTUS_SERVICE_TOKEN": token_of(ended),
        }
        checked = await run("check", **settings)
        service = type(stack.admin)(stack.directus.url, token_of(ended))
        keeper = await newcomer(Rule(books.collection, "read"))
        reader = await newcomer(Rule(books.collection, "read", item={"number": {"_eq": 1}}))
        clerk = stack.people["clerk"]

        async with served(settings) as url:
            answers = [await ask(url, "/stripe/balance_transactions", one.token) for one in (keeper, reader, clerk)]

        assert "the collections that decide on them are there" in checked.texts("ok")
        assert "may do more than it needs" not in checked.texts("note")
        assert await service.request("GET", f"/items/{books.collection}") == []
        with pytest.raises(DirectusError):
            await service.request("POST", f"/items/{books.collection}", {})
        assert [answer.status for answer in answers] == [200, 401, 401]
        again = await buyers.provision(STRIPE_OPERATIONS=rules)
        assert {word for word, _ in again.lines} == {"unchanged"}
