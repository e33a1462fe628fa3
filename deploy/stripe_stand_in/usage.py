"""Meter events, by docs.stripe.com/api/billing/meter-event/create."""

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.errors import Object, StripeError

_DAYS = 35 * 86_400
_AHEAD = 300  # seconds


def create_meter(account: Account, values: Object) -> Object:
    """Make a meter; no two active ones have the same event."""
    name = values["event_name"]
    if any((each["event_name"], each["status"]) == (name, "active") for each in account.objects["billing.meter"]):
        raise StripeError(400, "An active meter with this event name exists already.", param="event_name")
    return values


def create_event(account: Account, values: Object) -> Object:
    """Count usage once for each identifier. Raises StripeError for an unknown meter or customer, or a wrong time."""
    meters = [each for each in account.objects["billing.meter"] if each["event_name"] == values["event_name"]]
    if not any(meter["status"] == "active" for meter in meters):
        raise StripeError(400, "No active meter found matching the event name.", param="event_name")
    [meter, *_] = meters
    payload, key = values["payload"], meter["customer_mapping"]["event_payload_key"]
    if not payload.get(key):
        raise StripeError(400, f"The payload lacks the customer's key `{key}`.", param="payload")
    account.find("customer", payload[key], f"payload[{key}]")
    identifier = values.get("identifier") or account.making.token(36)
    if any(event["identifier"] == identifier for event in account.objects["billing.meter_event"]):
        raise StripeError(400, f"An event already exists with identifier {identifier}.")
    now = account.making.now()
    moment = values.get("timestamp", now)
    if not now - _DAYS <= moment <= now + _AHEAD:
        raise StripeError(400, "The timestamp is not within the past 35 days.", param="timestamp")
    return {**values, "identifier": identifier, "timestamp": moment}
