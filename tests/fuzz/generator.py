"""Makes the request of a number: the same one for the same seed, whatever was made before.

A request is a valid one and some mutations. Each mutation has random numbers of its own, so that leaving one out
leaves the others as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.fuzz import seeds
from tests.fuzz.drafts import Draft
from tests.fuzz.mutations.bodies import BODIES
from tests.fuzz.mutations.framing import BYTES, FRAMING
from tests.fuzz.mutations.headers import HEADERS
from tests.fuzz.mutations.targets import TARGETS
from tests.fuzz.people import Person

_HOW_MANY = (0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 5)
_ON_BYTES = 0.06
_IMPATIENT = 0.03  # of all clients leave before the answer has come
_WELL_FRAMED = frozenset((*TARGETS, *BODIES))  # these leave headers alone
_Mutation = Callable[[Draft, Random], None]
_OnBytes = Callable[[bytes, Random], bytes]


@dataclass(frozen=True, slots=True)
class Sent:
    """One request. `leaves`: seconds after which the client goes away, None for one that waits for the answer.

    `told` names the mutations.
    """

    number: int
    draft: Draft
    data: bytes
    told: tuple[str, ...] = ()
    leaves: float | None = None

    @property
    def holders(self) -> Sequence[tuple[Person, str]]:
        """The people whose tokens the request contains, each with the token."""
        return self.draft.holders


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is done to one request; places of mutations that are left out are not in `chosen`.

    `well_framed`: also with all of them the service reads the X-Request-Id that was sent.
    """

    chosen: dict[int, _Mutation]
    on_bytes: _OnBytes | None
    leaves: float | None
    well_framed: bool = True


@dataclass(frozen=True, slots=True)
class Generator:
    """`mutating`: otherwise every request is valid, and no client leaves early."""

    seed: int
    mutating: bool = True

    def request(self, number: int, without: frozenset[int] = frozenset()) -> Sent:
        """Make a request, without the mutations at these places."""
        plan = self._plan(number, without) if self.mutating else _Plan({}, None, None)
        random = self._random(number)
        draft = seeds.any_seed(number, random, shared=plan.well_framed and random.random() < 0.6)
        for place, mutate in plan.chosen.items():
            mutate(draft, self._random(number, place))
        data = draft.written()
        told = tuple(mutate.__name__ for mutate in plan.chosen.values())
        if plan.on_bytes is None:
            return Sent(number, draft, data, told, plan.leaves)
        draft.raw = True
        changed = plan.on_bytes(data, self._random(number, "bytes"))
        return Sent(number, draft, changed, (*told, plan.on_bytes.__name__), plan.leaves)

    def _plan(self, number: int, without: frozenset[int]) -> _Plan:
        random = self._random(number, "plan")
        kinds = random.choices((TARGETS, HEADERS, BODIES, FRAMING), weights=(3, 4, 4, 2), k=random.choice(_HOW_MANY))
        chosen: list[_Mutation] = [random.choice(kind) for kind in kinds]
        on_bytes = random.choice(BYTES) if random.random() < _ON_BYTES else None
        leaves = random.choice((0.0, 0.002, 0.02)) if random.random() < _IMPATIENT else None
        well_framed = on_bytes is None and _WELL_FRAMED.issuperset(chosen)
        left = {place: mutate for place, mutate in enumerate(chosen) if place not in without}
        return _Plan(left, None if len(chosen) in without else on_bytes, leaves, well_framed)

    def _random(self, number: int, *place: object) -> Random:
        return Random("/".join(map(str, (self.seed, number, *place))))  # noqa: S311 - reproducible, not secret
