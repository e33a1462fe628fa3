"""What a logout ends, token by token. Tokens go by a hash with a key of this process, so nobody can make two collide.

The proxy tells of a logout before Directus knows of it, and for a moment Directus still accepts the token. So after a
logout there is a quiet time, in which nothing is kept about that token, whether or not anything was known about it.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

_MOST = 10_000  # logouts in one memory


@dataclass(slots=True, weakref_slot=True, eq=False)
class Epoch:
    """The time of one token until its logout. What belongs to an ended epoch is never used again.

    No answer to a question from before `quiet_until`, on the cache's timer, is kept. `accepted` says that Directus
    granted the token something, so that nobody made it up.
    """

    quiet_until: float = -math.inf
    accepted: bool = False
    ended: bool = False

    def keeps(self, asked: float) -> bool:
        return not self.ended and asked >= self.quiet_until


class Epochs:
    """The epoch of each token of which something is kept, asked, or was told within the last `quiet` seconds.

    An entry or a question under way holds its epoch; who holds none costs nothing. After a logout a memory holds the
    new one. Made-up tokens have a memory of their own: a flood of them ends the quiet time of other made-up ones first,
    and of tokens that nobody has used at the sidecar since they were logged out.
    """

    def __init__(self, *, quiet: float, timer: Callable[[], float]) -> None:
        self._quiet, self._timer = quiet, timer
        self._epochs = WeakValueDictionary[bytes, Epoch]()
        self._accepted = OrderedDict[bytes, Epoch]()  # the oldest first, as in the other one
        self._others = OrderedDict[bytes, Epoch]()

    def current(self, token: bytes) -> Epoch:
        epoch = self._epochs.get(token)
        if epoch is None:
            epoch = self._epochs[token] = Epoch()
        return epoch

    def end(self, token: bytes) -> None:
        """Begin the epoch after a logout; of the oldest logouts beyond what is held, the quiet time ends early."""
        before, epoch = self._epochs.get(token), Epoch(self._timer() + self._quiet)
        if before is not None:
            before.ended, epoch.accepted = True, before.accepted
        self._epochs[token] = epoch
        self._remember(self._accepted if epoch.accepted else self._others, token, epoch)

    def accept(self, token: bytes) -> None:
        """Note that Directus granted this token something. From now on no made-up one ends its quiet time."""
        epoch = self.current(token)
        if epoch.accepted:
            return
        epoch.accepted = True
        if self._others.pop(token, None) is not None:
            self._remember(self._accepted, token, epoch)

    def _remember(self, memory: OrderedDict[bytes, Epoch], token: bytes, epoch: Epoch) -> None:
        memory[token] = epoch
        memory.move_to_end(token)
        now = self._timer()
        while memory and (len(memory) > _MOST or next(iter(memory.values())).quiet_until <= now):
            memory.popitem(last=False)
