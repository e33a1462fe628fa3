"""How urgent a call to Stripe is. Of callers that have had equally many turns, the more urgent call goes first."""

from enum import IntEnum


class Urgency(IntEnum):
    """In ascending order: a page of a whole list, a single page, everything else (one object, a change)."""

    LIST = 0
    PAGE = 1
    CALL = 2
