"""What one operation asks of Stripe beside its parameters: parts that are written out, and another version."""

from collections.abc import Mapping, Sequence

import pytest

from sidecar.core.flows.operation_stripe import OperationStripe
from sidecar.core.interfaces import ChangeRequest, Sent
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency

EXPAND = ("latest_invoice.confirmation_secret", "pending_setup_intent")


class Asked:
    """Notes how Stripe is asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    async def page(self, path: str, parameters: Mapping[str, str], *, urgency: Urgency = Urgency.PAGE) -> Page:
        self.calls.append((path, dict(parameters), urgency))
        return Page([], more=False)

    async def retrieve(
        self, path: str, object_id: str, *, urgency: Urgency = Urgency.CALL, expand: Sequence[str] = ()
    ) -> StripeObject:
        self.calls.append((path, object_id, urgency, tuple(expand)))
        return {}

    async def send(self, request: ChangeRequest) -> Sent:
        self.calls.append(
            (request.method, request.path, dict(request.parameters), request.key, request.urgency, request.version)
        )
        return Sent({})


async def test_only_the_operations_own_object_is_written_out() -> None:
    """The operation's object is read with its parts; other objects, and objects below it, are read as usual."""
    asked = Asked()
    stripe = OperationStripe(asked, "/v1/subscriptions/sub_1", expand=EXPAND)

    for path, object_id in (("/v1/subscriptions", "sub_1"), ("/v1/subscriptions", "sub_12"), ("/v1/prices", "price_1")):
        await stripe.retrieve(path, object_id, urgency=Urgency.PAGE)

    assert asked.calls == [
        ("/v1/subscriptions", "sub_1", Urgency.PAGE, EXPAND),
        ("/v1/subscriptions", "sub_12", Urgency.PAGE, ()),
        ("/v1/prices", "price_1", Urgency.PAGE, ()),
    ]


@pytest.mark.parametrize(("expand", "sent"), [(EXPAND, {"a": 1, "expand": list(EXPAND)}), ((), {"a": 1})])
async def test_the_change_asks_for_the_parts(expand: tuple[str, ...], sent: Mapping[str, object]) -> None:
    """A change is sent with its parts and its version, and with nothing where there are none."""
    asked = Asked()
    stripe = OperationStripe(asked, "/v1/subscriptions", expand=expand, version="2020-08-27" if expand else None)

    await stripe.send(ChangeRequest("POST", "/v1/subscriptions", {"a": 1}, "key", Urgency.PAGE))

    assert asked.calls == [
        ("POST", "/v1/subscriptions", sent, "key", Urgency.PAGE, "2020-08-27" if expand else None),
    ]
