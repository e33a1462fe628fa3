"""Settings of how much and how long: times, rates, places and bytes. Their defaults fit Stripe's own limits."""

from pydantic import Field

from sidecar.settings.operations import OperationsSettings
from sidecar.settings.types import Delay, Moment, Seconds


class LimitSettings(OperationsSettings):
    """Times are in seconds, rates in calls a second."""

    directus_timeout: Seconds = Field(
        2, description="Whole budget of one question to Directus, from the moment it is sent"
    )
    directus_max_concurrent: int = Field(
        20, ge=1, le=1_000, description="How many questions Directus gets at once; the others wait for their turn"
    )
    directus_connect_timeout: Seconds = Field(0.5, description="Of that, to connect")
    stripe_timeout: Seconds = Field(
        25, description="Budget of one call to Stripe with its retries; how long it may wait for its turn before that"
    )
    stripe_connect_timeout: Seconds = Field(3, description="Of that, to connect, each time")
    stripe_max_rps: float = Field(
        20,
        gt=0,
        le=100_000,
        allow_inf_nan=False,
        description="Calls a second to each endpoint at Stripe, by all callers together; Stripe allows 25",
    )
    stripe_account_rps: float | None = Field(
        None,
        gt=0,
        le=100_000,
        allow_inf_nan=False,
        description="Calls a second to Stripe in all; without it 80 with a live key and 20 with a test key, of which "
        "Stripe allows 100 and 25",
    )
    stripe_caller_rps: float | None = Field(
        None,
        gt=0,
        le=100_000,
        allow_inf_nan=False,
        description="Of these, what one caller may have where nobody else asks; without it half, but no less than "
        "`STRIPE_MAX_RPS`",
    )
    stripe_list_concurrency: int = Field(
        6, ge=1, le=32, description="How many pages of one whole list are asked for at once; 1 is plain paging"
    )
    max_concurrent_requests: int = Field(
        500, ge=1, le=100_000, description="Requests worked on at once; one more is answered 503"
    )
    max_concurrent_per_caller: int = Field(
        20, ge=1, le=100_000, description="Of these, what one caller may have; what it asks beyond that waits"
    )
    max_waiting_per_caller: int = Field(
        1_000, ge=0, le=100_000, description="How many requests of one caller may wait; one more is answered 429"
    )
    max_held_bytes: int = Field(
        64 * 2**20,
        ge=2**20,
        le=2**40,
        description="Bytes of lists that may wait in memory for slow readers, of all callers together",
    )
    stripe_read_cache: Moment | None = Field(
        None,
        description="How long a page or an object of Stripe's may be shown again, from 1 to 60, if no change and no "
        "event came since; needs `STRIPE_WEBHOOK_SECRET`. Without it Stripe is asked each time",
    )
    write_back_timeout: Seconds = Field(
        10, description="How long writing a new customer's ID is tried before it is left to a retry"
    )
    keepalive_timeout: Seconds = Field(
        130,
        description="How long a connection may wait for its next request; longer than your proxy keeps idle ones, "
        "or a POST that meets the end is lost (Google's load balancer: 620)",
    )
    shutdown_delay: Delay = Field(
        5, description="How long after SIGTERM requests are still accepted, so that proxies notice"
    )
    shutdown_timeout: Seconds = Field(18, description="How long requests under way may take to finish after SIGTERM")
