"""What outlives an application: the one that takes over from it in this process goes on with it."""

from dataclasses import dataclass, field

from sidecar.clients.changes import Alone
from sidecar.metrics import Reloads


@dataclass(frozen=True, slots=True)
class Lasting:
    """`changes` are those at Stripe: a former application may still make some while its successor shows pages."""

    reloads: Reloads = field(default_factory=Reloads)
    changes: Alone = field(default_factory=Alone)
