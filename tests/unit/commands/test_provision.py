"""`provision` with a Directus of another version or without a license, as observed in versions 11.8 and 12.3."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from aiohttp import web

from sidecar.commands import provision
from sidecar.commands.preparing import Order
from sidecar.commands.secret_files import Files
from tests.doubles.directus import NO_LICENSE, Refusal
from tests.doubles.server import Double

TOKEN = "MARKED-admin-token"


class AdministratedDouble(Double):
    """A Directus for an administrator; it stores collections, and refuses item rules and field lists."""

    def __init__(self) -> None:
        super().__init__()
        self.version, self.most = "12.3.1", -1
        self.rules_by_license: dict[str, object] | None = {"default": False}
        self.collections: dict[str, dict[str, object]] = {}

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [
            web.get("/policies/me/globals", self._globals),
            web.get("/server/info", self._info),
            web.get("/license", self._license),
            web.get("/collections/{name}", self._collection),
            web.post("/collections", self._create),
            web.get("/fields/{name}", self._fields),
            web.get("/fields/directus_settings/project_id", self._absent),
            web.get("/collections", self._all),
            web.get("/policies", self._none),
            web.get("/access", self._none),
            web.post("/policies", self._restricted),
        ]

    async def _globals(self, _: web.Request) -> web.Response:
        return web.json_response({"data": {"admin_access": True}})

    async def _info(self, _: web.Request) -> web.Response:
        of_12 = NO_LICENSE if self.version.startswith("12") else {}
        limit = {"queryLimit": {"default": 100, "max": self.most}}
        return web.json_response({"data": {"version": self.version, **limit, **of_12}})

    async def _license(self, _: web.Request) -> web.Response:
        if self.rules_by_license is None:
            raise Refusal("FORBIDDEN")
        return web.json_response({"data": {"entitlements": {"custom_permission_rules_enabled": self.rules_by_license}}})

    async def _collection(self, request: web.Request) -> web.Response:
        if request.match_info["name"] not in self.collections:
            raise Refusal("FORBIDDEN")
        return web.json_response({"data": {"collection": request.match_info["name"]}})

    async def _all(self, _: web.Request) -> web.Response:
        tables = [{"collection": name, "schema": {"name": name}} for name in self.collections]
        return web.json_response({"data": [*tables, {"collection": "clientele", "schema": None}]})

    async def _create(self, request: web.Request) -> web.Response:
        row = await request.json()
        self.collections[row["collection"]] = row
        return web.json_response({"data": row})

    async def _fields(self, request: web.Request) -> web.Response:
        return web.json_response({"data": self.collections[request.match_info["name"]]["fields"]})

    async def _none(self, _: web.Request) -> web.Response:
        return web.json_response({"data": []})

    async def _absent(self, _: web.Request) -> web.Response:
        raise Refusal("FORBIDDEN")

    async def _restricted(self, _: web.Request) -> web.Response:
        raise Refusal("RESOURCE_RESTRICTED")

    def changes(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.requests if request.method != "GET"]


@pytest.fixture
async def directus(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AdministratedDouble]:
    async with AdministratedDouble.running() as double:
        monkeypatch.setenv("DIRECTUS_URL", double.url)
        monkeypatch.setenv("DIRECTUS_ADMIN_TOKEN", TOKEN)
        monkeypatch.setenv("STRIPE_CUSTOMERS_COLLECTION", "customers")
        yield double


async def provisioned(
    capsys: pytest.CaptureFixture[str], token_file: Path | None = None, *, create: bool = True, yes: bool = True
) -> tuple[int, list[str]]:
    """Give the exit code and the lines."""
    order = Order(Files.of(token_file, None), create_collection=create)
    code = await asyncio.to_thread(provision.run, order, yes=yes)
    return code, capsys.readouterr().out.splitlines()


async def test_an_old_version(directus: AdministratedDouble, capsys: pytest.CaptureFixture[str]) -> None:
    """A Directus that is too old is one fault, and nothing is changed in it."""
    directus.version = "11.7.2"

    code, [line] = await provisioned(capsys)

    assert (code, directus.changes()) == (1, [])
    assert line == "FAULT      Directus is version 11.7.2: update it to 11.8.0 or newer"


async def test_no_lists(directus: AdministratedDouble, capsys: pytest.CaptureFixture[str]) -> None:
    """With QUERY_LIMIT_MAX=0 nothing that is there would be seen and all be made again, so nothing is changed."""
    directus.version, directus.most = "11.17.4", 0

    code, [line] = await provisioned(capsys)

    assert (code, directus.changes()) == (1, [])
    assert "QUERY_LIMIT_MAX" in line


async def test_no_license(directus: AdministratedDouble, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a license the first line says what one adds, the collection is made, and no policy is tried."""
    code, [first, made, last] = await provisioned(capsys)

    assert (code, directus.changes()) == (0, ["POST /collections"])
    assert first.startswith("note       this Directus has no license")
    assert made == "created    collection customers, with its field stripe_customer_id"
    assert last.startswith('note       no policy "Stripe sidecar (customers)" and no token: they need a license')


async def test_no_license_again(directus: AdministratedDouble, capsys: pytest.CaptureFixture[str]) -> None:
    """The second run finds what the first has made, and changes nothing."""
    await provisioned(capsys)
    directus.requests.clear()

    code, [_, collection, field, _] = await provisioned(capsys)

    assert (code, directus.changes()) == (0, [])
    assert (collection.split()[0], field.split()[0]) == ("unchanged", "unchanged")


@pytest.mark.parametrize(
    ("setting", "value"), [("DIRECTUS_REALTIME", "true"), ("STRIPE_WEBHOOK_SECRET", "whsec_0123456789abcdef")]
)
async def test_a_setting_that_needs_a_license(
    directus: AdministratedDouble,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    value: str,
) -> None:
    """What the settings ask for and only a service token can do is a fault, after all the rest is prepared."""
    monkeypatch.setenv(setting, value)

    code, lines = await provisioned(capsys)

    assert (code, directus.changes()) == (1, ["POST /collections"])
    assert lines[-1].startswith("FAULT ")
    assert setting in lines[-1]


async def test_a_token_file_without_a_license(
    directus: AdministratedDouble, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Whoever asks for a token's file gets a fault and no file, so that a script does not go on without it."""
    code, lines = await provisioned(capsys, tmp_path / "token")

    assert (code, (tmp_path / "token").exists()) == (1, False)
    assert "--token-file" in lines[-1]
    assert directus.collections


@pytest.mark.parametrize("entitlement", [{"default": False}, {"override": False, "default": True}, None])
async def test_an_entitlement_that_is_missing(
    directus: AdministratedDouble, capsys: pytest.CaptureFixture[str], entitlement: dict[str, object] | None
) -> None:
    """The license's own word on item rules decides; where it cannot be read, that there is a license does."""
    directus.rules_by_license = entitlement

    _, lines = await provisioned(capsys)

    assert "no license" in lines[0]


@pytest.mark.parametrize("entitlement", [{"default": True}, {"override": True, "default": False}])
async def test_a_license_that_is_not_enough(
    directus: AdministratedDouble, capsys: pytest.CaptureFixture[str], entitlement: dict[str, object]
) -> None:
    """Where item rules are allowed the policy is tried; if Directus refuses it all the same, the fault says why."""
    directus.rules_by_license = entitlement

    code, lines = await provisioned(capsys)

    assert (code, directus.changes()) == (1, ["POST /collections", "POST /policies"])
    assert "RESOURCE_RESTRICTED" in lines[-1]
    assert "license" in lines[-1]


@pytest.mark.parametrize(("name", "hint"), [("cleints", "; did you mean clients?"), ("orders", ".")])
async def test_a_collection_that_nobody_made(
    directus: AdministratedDouble,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    hint: str,
) -> None:
    """A missing collection is not made unless it is asked for: its name may be misspelt, and then a hint says so."""
    directus.collections["clients"] = {}
    monkeypatch.setenv("STRIPE_CUSTOMERS_COLLECTION", name)

    code, [line] = await provisioned(capsys, create=False)

    assert (code, directus.changes()) == (1, [])
    assert line.startswith(f"FAULT      Directus has no collection {name}{hint} Correct STRIPE_CUSTOMERS_COLLECTION")
    assert "--create-collection" in line


async def test_without_a_terminal_the_plan_is_all(
    directus: AdministratedDouble, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Nobody can confirm there, so the plan is shown in its order, and neither Directus nor a file changes."""
    directus.rules_by_license = {"default": True}

    code, lines = await provisioned(capsys, tmp_path / "token", yes=False)

    made = [(tmp_path / name).exists() for name in ("token", "SIDECAR_SECRET")]
    assert (code, directus.changes(), made) == (1, [], [False, False])
    assert [line.split("  ")[0] for line in lines] == [*["to create"] * 5, "note"]
    assert lines[0] == "to create  collection customers, with its field stripe_customer_id"
    assert lines[1].startswith('to create  policy "Stripe sidecar (customers)", with permission to read customers')
    assert lines[3] == f"to create  its token, in {tmp_path / 'token'}, for DIRECTUS_SERVICE_TOKEN_FILE"


async def test_a_plan_shows_no_secret(directus: AdministratedDouble, capsys: pytest.CaptureFixture[str]) -> None:
    """S1: What is only planned is not made, so no token and no secret is printed."""
    directus.rules_by_license = {"default": True}

    _, lines = await provisioned(capsys, yes=False)

    assert not [line for line in lines if "=" in line]


async def test_nothing_to_do_needs_no_confirmation(
    directus: AdministratedDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that finds all it needs ends well without a terminal and without --yes."""
    await provisioned(capsys)
    directus.requests.clear()

    code, lines = await provisioned(capsys, yes=False)

    assert (code, directus.changes()) == (0, [])
    assert {line.split()[0] for line in lines} == {"note", "unchanged"}
