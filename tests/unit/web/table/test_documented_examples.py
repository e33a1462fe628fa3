"""The example of each operation in sidecar/README.md is a request that the service takes."""

import re

from tests.documents.pages import SIDECAR, table_after
from tests.doubles.running_app import RunningApp
from tests.doubles.wire import Answer
from tests.unit.web.table.cases import ENDING, EVERY_CASE, JSON, SDK, Case
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import MANAGER

ROWS = [line.strip("| ").split(" | ") for line in table_after(SIDECAR, "takes").splitlines()[2:]]


async def test_examples(open_shop: OpenShop) -> None:
    """Each request as it stands there is answered with success, and its operation is the one of its row."""
    shop = await open_shop(STRIPE_EXPOSE_CLIENT_SECRET="true")
    shop.shows_client_secrets = True
    examples = {row[0].strip("`"): row[-1] for row in ROWS}
    before, outcomes = await counted(shop), {}

    for name in sorted(examples, key=lambda name: name in ENDING):
        answer = await sent(shop, EVERY_CASE[name], examples[name])
        after = await counted(shop)
        outcomes[name] = (answer.status, after - before)
        before = after

    assert {name: (EVERY_CASE[name].status, {(name, str(EVERY_CASE[name].status))}) for name in EVERY_CASE} == outcomes


async def sent(shop: RunningApp, case: Case, example: str) -> Answer:
    """Send what the document has; what ends in 123 there is the caller's own here."""
    for each in shop.stripe.objects[case.row.resource.kind] if case.given else ():
        each.update(case.given)
    request, *body = re.findall(r"`([^`]+)`", re.sub(r"_123\b", "_OWN", example))
    method, target = request.split(" ")
    headers = [*([JSON] if body else []), *([SDK] if case.row.sdk_version else [])]
    return await shop.call(MANAGER, target, method=method, headers=headers, body=body[0].encode() if body else None)


async def counted(shop: RunningApp) -> set[tuple[str, str]]:
    """Give the operations that were asked for until now, each with a status of its answers."""
    metrics = (await shop.call(target="/metrics")).body.decode()
    found = re.findall(r"sidecar_requests_total\{([^}]*)\} [1-9]", metrics)
    labels = [dict(re.findall(r'(\w+)="([^"]*)"', each)) for each in found]
    return {(each["operation"], each["status"]) for each in labels if each["operation"] in EVERY_CASE}
