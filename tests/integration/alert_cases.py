"""For each alert what makes it fire, and what looks like it and does not, in promtool's notation of series.

`0+6x30` are 31 values a minute apart that grow by 6 (prometheus.io, "Unit testing for rules").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Series = Mapping[str, str]
_GRANTED = 'sidecar_requests_total{operation="payments.list", status="200", verdict="granted"}'
_REFUSED = 'sidecar_requests_total{operation="payments.list", status="401", verdict="no_access"}'
_MANY: Series = {_GRANTED: "0+600x60"}


@dataclass(frozen=True, slots=True)
class Case:
    """What an alert says `minute` minutes after the beginning; `labels` are those of the one series that fires."""

    alert: str
    fires: Series
    silent: Series
    minute: int = 20
    labels: Mapping[str, str] = field(default_factory=dict)


def failures(outcome: str, growth: str) -> Series:
    return {f'sidecar_failures_total{{outcome="{outcome}"}}': growth}


def _directus(quick: int, slow: int) -> Series:
    name, upstream = "sidecar_upstream_seconds_bucket", 'upstream="directus"'
    return {
        f'{name}{{{upstream}, le="1"}}': f"0+{quick}x60",
        f'{name}{{{upstream}, le="2.5"}}': f"0+{quick + slow}x60",
        f'{name}{{{upstream}, le="+Inf"}}': f"0+{quick + slow}x60",
    }


_TARGET = {"job": "any", "instance": "a"}
_OF_TARGET = '{job="any", instance="a"}'
_WAS_SIDECAR: Series = {f"sidecar_build_info{_OF_TARGET}": "1+0x5 _x30"}

CASES = (
    Case(
        "SidecarDown",
        fires={f"up{_OF_TARGET}": "1+0x5 0+0x30", **_WAS_SIDECAR},
        silent={f"up{_OF_TARGET}": "1+0x5 0+0x5 1+0x30", **_WAS_SIDECAR, 'up{job="other", instance="b"}': "0+0x60"},
        labels=_TARGET,
    ),
    Case("SidecarAbsent", fires={f"up{_OF_TARGET}": "1+0x60"}, silent={f"sidecar_build_info{_OF_TARGET}": "1+0x60"}),
    Case(
        "SidecarErrors",
        fires=failures("fault", "0+0x17 1+0x60"),
        silent={**failures("fault", "0+0x3 1+0x60"), **failures("directus", "0+60x60")},
    ),
    Case(
        "SidecarDirectusUnavailable",
        fires={**_MANY, **failures("directus", "0+60x60")},
        silent={**_MANY, **failures("directus", "0+6x60"), **failures("capacity", "0+60x60")},
    ),
    Case(
        "SidecarStripeKeyRejected",
        fires={"sidecar_stripe_key_rejected": "0+0x5 1+0x60"},
        silent={"sidecar_stripe_key_rejected": "0+0x60", **failures("stripe_key", "3+0x60")},
    ),
    Case(
        "SidecarStripeKeyRejected",
        fires={"sidecar_stripe_key_rejected": "0+0x60", **failures("stripe_key", "0+0x17 1+0x60")},
        silent=failures("stripe", "0+60x60"),
    ),
    Case(
        "SidecarOverCapacity",
        fires={**_MANY, **failures("capacity", "0+12x60")},
        silent={**_MANY, **failures("capacity", "0+3x60"), **failures("directus", "0+60x60")},
    ),
    Case(
        "SidecarStripeFailing",
        fires={**_MANY, **failures("stripe", "0+60x60")},
        silent={**_MANY, **failures("stripe", "0+6x60"), **failures("stripe_key", "0+60x60")},
    ),
    Case(
        "SidecarStripeTurnsLate",
        fires={"sidecar_stripe_refused_total": "0+2x60"},
        silent={"sidecar_stripe_refused_total": "0+0x15 3+0x60"},
    ),
    Case(
        "SidecarStripeLimits",
        fires={'sidecar_stripe_rate_limited_total{about="endpoint"}': "0+2x60"},
        silent={'sidecar_stripe_rate_limited_total{about="object"}': "0+60x60"},
        labels={"about": "endpoint"},
    ),
    Case("SidecarDirectusSlow", fires=_directus(quick=50, slow=50), silent=_directus(quick=1000, slow=1)),
    Case(
        "SidecarFeedLost",
        fires={"sidecar_feed_connected": "1+0x5 0+0x60"},
        silent={
            'sidecar_feed_connected{instance="a"}': "NaN+0x60",
            'sidecar_feed_connected{instance="b"}': "1+0x60",
        },
    ),
    Case(
        "SidecarSharedLost",
        fires={"sidecar_shared_up": "1+0x5 0+0x60"},
        silent={'sidecar_shared_up{instance="a"}': "NaN+0x60", 'sidecar_shared_up{instance="b"}': "0+0x17 1+0x60"},
    ),
    Case(
        "SidecarReloadFailed",
        fires={'sidecar_reloads_total{result="failed"}': "0+0x15 1+0x60"},
        silent={
            'sidecar_reloads_total{result="failed"}': "0+0x5 1+0x60",
            'sidecar_reloads_total{result="done"}': "0+1x60",
            'sidecar_reloads_total{result="unchanged"}': "0+1x60",
        },
        labels={"result": "failed"},
    ),
    Case(
        "SidecarWriteBackPending",
        fires={"sidecar_write_backs_pending_total": "0+0x5 1+0x60"},
        silent={"sidecar_write_backs_pending_total": "1+0x60"},
    ),
    Case(
        "SidecarEventsFail",
        fires={'sidecar_webhooks_total{type="customer.updated", result="failed"}': "0+0x5 1+0x60"},
        silent={'sidecar_webhooks_total{type="customer.updated", result="done"}': "0+60x60"},
    ),
    Case(
        "SidecarEventsRefused",
        fires={'sidecar_webhooks_total{type="other", result="refused"}': "0+1x60"},
        silent={'sidecar_webhooks_total{type="other", result="refused"}': "0+0x10 3+0x60"},
    ),
    Case(
        "SidecarManyRefusals",
        fires={_GRANTED: "0+100x60", _REFUSED: "0+600x60"},
        silent={_GRANTED: "0+1x60", _REFUSED: "0+6x60"},
    ),
)
