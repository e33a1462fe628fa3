"""When a subscription begins, rests and ends, by docs.stripe.com/api: subscriptions, subscription_schedules."""

from deploy.stripe_stand_in.account import Account
from deploy.stripe_stand_in.errors import Object, StripeError, require

_ANCHOR = "billing_cycle_anchor"
_LIVING = ("not_started", "active")
MONTH = 30 * 86_400


def moments(account: Account, values: Object) -> Object:
    """Copy a subscription's parameters as the object shows them: words as times, no anchor by type."""
    shown = {name: value for name, value in values.items() if not isinstance(value, dict) or name != _ANCHOR}
    now = account.making.now()
    if shown.get("trial_end") == "now":
        shown["trial_end"] = now
    if isinstance(shown.get("cancel_at"), str) and shown["cancel_at"]:
        shown["cancel_at"] = now + MONTH
    if isinstance(shown.get("pause_collection"), dict):
        shown["pause_collection"] = {"resumes_at": None, **shown["pause_collection"]}
    return shown


def create_schedule(account: Account, values: Object) -> Object:
    """Schedule a subscription that is there, or one that begins later."""
    if "from_subscription" in values:
        subscription = account.find("subscription", values["from_subscription"], "from_subscription")
        about = {"customer": subscription["customer"], "subscription": subscription["id"], "status": "active"}
        return {**about, "phases": []}
    require(values, "customer", "phases", "start_date")
    return {"customer": values["customer"], "subscription": None, "status": "not_started", "phases": values["phases"]}


def pause(_: Account, subscription: Object, __: Object) -> Object:
    if subscription["status"] != "active":
        raise StripeError(400, "Only an active subscription can be paused.")
    subscription["status"] = "paused"
    return subscription


def resume(account: Account, subscription: Object, values: Object) -> Object:
    if subscription["status"] != "paused":
        raise StripeError(400, "Only a paused subscription can be resumed.")
    subscription["status"] = "active"
    if values.get(_ANCHOR, {}).get("type", "now") == "now":
        subscription[_ANCHOR] = account.making.now()
    return subscription


def cancel_schedule(account: Account, schedule: Object, _: Object) -> Object:
    _require_living(schedule, "canceled")
    schedule |= {"status": "canceled", "canceled_at": account.making.now()}
    return schedule


def release_schedule(account: Account, schedule: Object, _: Object) -> Object:
    _require_living(schedule, "released")
    released = schedule["subscription"]
    now = account.making.now()
    schedule |= {"status": "released", "released_at": now, "released_subscription": released, "subscription": None}
    return schedule


def _require_living(schedule: Object, done: str) -> None:
    if schedule["status"] not in _LIVING:
        message = (
            f"You cannot have a subscription schedule {done} that is currently in the `{schedule['status']}` status."
        )
        raise StripeError(400, message)
