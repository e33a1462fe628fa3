"""What a serving process imports until its end, and the requests that make it import all it ever will."""

import json
import re
from collections.abc import Mapping

from tests.doubles.directus import DirectusDouble, User, full, grants
from tests.doubles.events import PATH, SECRET, event, headers
from tests.doubles.process import Sidecar
from tests.doubles.running_app import CLERK, MEMBER, SERVICE_TOKEN, bearer, environment
from tests.doubles.stripe import StripeDouble
from tests.doubles.wire import Answer

UNWANTED = frozenset({"directus_sdk_py", "requests", "sqlparse", "dns", "urllib3", "certifi", "httpx"})
UNUSED = frozenset({"opentelemetry", "redis"})  # by a service without a collector and without Redis
STATUSES = [200, 200, 201, 400, 200, 200, 200, 200]
_ID = "stripe_customer_id"
_JSON = ("Content-Type", "application/json")
_IMPORT = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+([\w.]+)$", re.MULTILINE)  # as `-X importtime` prints it


def variables(directus: DirectusDouble, stripe: StripeDouble) -> Mapping[str, str]:
    """Give the settings with everything on, under which the process prints each import."""
    rights = grants(read=full("id", _ID, "name", "email"), update=full(_ID, "name", "email"))
    directus.add_users([User("service", SERVICE_TOKEN, rights)])
    return environment(
        directus.url,
        stripe.url,
        PYTHONPROFILEIMPORTTIME="1",
        DIRECTUS_REALTIME="true",
        DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN,
        STRIPE_WEBHOOK_SECRET=SECRET,
        STRIPE_WRITE_BACK="true",
    )


async def work(sidecar: Sidecar, directus: DirectusDouble, stripe: StripeDouble) -> list[int]:
    """Cause one of each kind of work, and give the statuses, which should be STATUSES."""
    customer = stripe.add_customer(name="Ada", email="ada@example.com")
    directus.add_row(name="Ada", email="ada@example.com", **{_ID: customer["id"]})
    stripe.add_payments(150)
    told = event("customer.updated", customer)
    answers = [
        await sidecar.call("/stripe/payments", bearer(CLERK.token)),
        await sidecar.call("/stripe/customers?limit=10", bearer(MEMBER.token)),
        await _create(sidecar, "grace@example.com"),
        await _create(sidecar, "grace@example"),
        await sidecar.call(PATH, *headers(told), method="POST", body=told),
        await sidecar.call("/stripe/openapi.json"),
        await sidecar.call("/metrics"),
        await sidecar.call("/readyz"),
    ]
    return [answer.status for answer in answers]


def imported(said: str) -> frozenset[str]:
    """Give the packages that a process imported. An import that fails is printed too, so only one with parts counts."""
    return frozenset(name.partition(".")[0] for name in _IMPORT.findall(said) if "." in name)


async def _create(sidecar: Sidecar, email: str) -> Answer:
    body = json.dumps({"email": email}).encode()
    return await sidecar.call("/stripe/customers", bearer(CLERK.token), _JSON, method="POST", body=body)
