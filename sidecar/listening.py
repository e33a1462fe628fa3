"""Puts together what is done with Stripe's events: items follow their customer, and rules start what they name."""

from collections.abc import Awaitable, Callable

from sidecar import opening
from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.event_items import DirectusEventItems
from sidecar.clients.directus.flows import DirectusFlows
from sidecar.clients.lists.snapshots import CustomerSnapshots
from sidecar.clients.stripe.client import StripeClient
from sidecar.clients.stripe.event_listener import EventListener
from sidecar.clients.stripe.event_turns import EventTurns
from sidecar.clients.stripe.events import StripeWebhooks
from sidecar.clients.stripe.signature import Signatures
from sidecar.core.access.credentials import Credential
from sidecar.core.flows.deliver_event import Directus, deliver
from sidecar.core.flows.event_objects import customer_named
from sidecar.core.flows.events import object_named
from sidecar.core.flows.follow_customer import follow
from sidecar.metrics import Metrics
from sidecar.settings import Settings

_PART = 4  # of the places at Directus, the most that rules may have: a Flow can keep its place for seconds


def webhooks(
    settings: Settings,
    directus: DirectusClient,
    stripe: StripeClient,
    forget_lists: Callable[[], Awaitable[None]],
    metrics: Metrics,
) -> StripeWebhooks:
    """`stripe` shares no answer with anybody, so that what it says is from after the event."""
    service = opening.service_credential(settings)
    assert service is not None  # noqa: S101 - the settings are refused without it
    return StripeWebhooks(
        Signatures(opening.revealed(settings.stripe_webhook_secret)),
        [_following(settings, directus, stripe), _delivering(settings, directus, stripe, service)],
        forget_lists,
        livemode=settings.livemode,
        own_account=settings.stripe_account,
        metrics=metrics,
    )


def _following(settings: Settings, directus: DirectusClient, stripe: StripeClient) -> EventListener:
    mirror, items = settings.mirror, opening.linked_items(settings, directus)
    snapshots = CustomerSnapshots(stripe, mirror.origins)
    return EventListener(
        mirror.follows,
        lambda event: customer_named(event, stripe),
        lambda _, customer: follow(customer, snapshots, items, mirror),
        covering=True,
    )


def _delivering(
    settings: Settings, directus: DirectusClient, stripe: StripeClient, service: Credential
) -> EventListener:
    rules = {rule.type: rule for rule in settings.event_rules}
    reached = Directus(DirectusEventItems(directus, service), DirectusFlows(directus))
    return EventListener(
        rules,
        object_named,
        lambda event, _: deliver(event, rules[event.type], stripe, reached),
        covering=False,
        turns=EventTurns(at_once=max(1, settings.directus_max_concurrent // _PART)),
    )
