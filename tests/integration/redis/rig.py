"""Replicas in this process that share one Redis, and what a test reads of them."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

from prometheus_client.parser import text_string_to_metric_families

from sidecar.clients.redis.names import Space
from sidecar.settings import Settings
from tests.doubles import invariants
from tests.doubles.directus import DirectusDouble, User, full, grants
from tests.doubles.faults import Stall
from tests.doubles.running_app import SIDECAR_SECRET, RunningApp, bearer, environment, whole_app
from tests.doubles.stripe import StripeDouble
from tests.doubles.waiting import eventually

NONE: Mapping[str, str] = {}
TARGET = "/stripe/customers?limit=1"


@dataclass(slots=True)
class Rig:
    """Replicas between the doubles of Directus and Stripe; `log` is what all of them write."""

    directus: DirectusDouble
    stripe: StripeDouble
    log: list[str]
    exits: AsyncExitStack
    apps: list[RunningApp] = field(default_factory=list)
    users: list[User] = field(default_factory=list)

    async def open(
        self, number: int, redis: str, settings: Mapping[str, str] = NONE, *, beside: int = 0
    ) -> list[RunningApp]:
        """Start so many replicas one by one, and wait until each counts all that live; `beside` are others."""
        opened = [await self.open_anyway(redis, settings) for _ in range(number)]
        for app in opened:
            await eventually(partial(_counts, app, number + beside))
        return opened

    async def open_anyway(
        self, redis: str, settings: Mapping[str, str] = NONE, *, within: AsyncExitStack | None = None
    ) -> RunningApp:
        """Start one, whether or not Redis answers; it ends with `within`, or with the test."""
        exits = self.exits if within is None else within
        app = await exits.enter_async_context(whole_app(self.directus, self.stripe, REDIS=redis, **settings))
        self.apps.append(app)
        return app

    def newcomers(self, number: int) -> list[User]:
        """Give new users who may read all customers; each is known by a static token of its own."""
        begin = len(self.users)
        new = [
            User(f"newcomer-{n}", f"MARKED-new-{n}/+token~", grants(read=full())) for n in range(begin, begin + number)
        ]
        self.directus.add_users(new)
        self.users += new
        return new

    def newcomer(self) -> User:
        (user,) = self.newcomers(1)
        return user

    @property
    def questions(self) -> int:
        """How many questions for permissions Directus was asked."""
        return sum(request.path == "/permissions/me" for request in self.directus.requests)

    def hold_answers(self) -> Stall:
        """Keep Directus's answers about permissions back from now on."""
        stall = Stall()
        self.directus.fail(stall, when=lambda request: request.path == "/permissions/me")
        return stall

    def lines_about_redis(self) -> list[str]:
        """Give what was logged beside the requests and the replicas' starts."""
        return [line for line in self.log if '"sidecar.access"' not in line and '"asyncio"' not in line]

    @property
    def space(self) -> Space:
        """Give the names and the seal of these replicas, as whoever has their secret makes them."""
        variables = environment(self.directus.url, self.stripe.url)
        settings = Settings.model_validate({name.lower(): value for name, value in variables.items()})
        return Space.of(SIDECAR_SECRET, "permissions", settings.directus_url, *sorted(settings.collections))

    def end_session(self, user: User) -> None:
        """Let Directus refuse the user's token from now on."""
        user.refused = "INVALID_CREDENTIALS"

    def check(self) -> None:
        first, *others = self.apps
        first.log, first.tokens = self.log, first.tokens | {user.token for user in self.users}
        first.exchanges += [exchange for app in others for exchange in app.exchanges]
        invariants.check(first)


async def statuses(apps: Sequence[RunningApp], users: Sequence[User]) -> set[int]:
    """Let all users ask all replicas at once; give which statuses they got."""
    answers = await asyncio.gather(*(app.call(user, TARGET) for user in users for app in apps))
    return {answer.status for answer in answers}


async def status(app: RunningApp, user: User) -> int:
    return (await app.call(user, TARGET)).status


async def tell_logout(app: RunningApp, user: User) -> None:
    assert (await app.log_out(bearer(user.token))).status == 204


async def shared(app: RunningApp) -> tuple[int, str]:
    """Give the status of /readyz, and what it says about Redis."""
    answer = await app.call(target="/readyz")
    return answer.status, answer.json()["shared"]


async def eventually_shared(apps: Sequence[RunningApp], word: str) -> None:
    async def all_say() -> bool:
        return {await shared(app) for app in apps} == {(200, word)}

    await eventually(all_say)


async def metric(app: RunningApp, name: str, **labels: str) -> float:
    """Give a sample of /metrics, or the sum of those that have these labels."""
    text = (await app.call(target="/metrics")).body.decode()
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
    found = [each.value for each in samples if each.name == name and labels.items() <= each.labels.items()]
    assert found, f"no sample {name}"
    return sum(found)


async def errors(app: RunningApp) -> float:
    return await metric(app, "sidecar_shared_errors_total")


async def sent(app: RunningApp) -> float:
    """Give how many commands about permissions have waited for Redis; those that it never gets are not counted."""
    return await metric(app, "sidecar_shared_seconds_count", part="permissions")


async def signs(app: RunningApp, number: int) -> None:
    """Wait until the replica has given so many more signs of life, of which there is one a second."""

    async def given() -> float:
        return await metric(app, "sidecar_shared_seconds_count", part="replicas")

    before = await given()

    async def are_given() -> bool:
        return await given() >= before + number

    await eventually(are_given)


async def _counts(app: RunningApp, number: int) -> bool:
    return await metric(app, "sidecar_replicas") == number
