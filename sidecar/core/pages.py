"""One page of a list at Stripe, as Stripe wrote it; its objects are parsed when somebody looks into them.

Most pages are passed on: then all that has to be known of an object is what orders and continues the list.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Protocol

import msgspec
import orjson

from sidecar.core.operations.resources import RESOURCES, StripeObject, reference
from sidecar.core.stripe_json import parsed
from sidecar.errors import StripeUnavailable

_UNDATED = frozenset(kind for kind, resource in RESOURCES.items() if not resource.has_date)
_END_OF_TIME = 10**12  # seconds; what `created` may be compared with has twelve digits


class _Referred(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None


class Listed(msgspec.Struct, frozen=True, gc=False):
    """What a list needs to know of an object; None is also what has another type. `created` is in seconds."""

    id: str | None = None
    created: Annotated[int, msgspec.Meta(ge=0, lt=_END_OF_TIME)] | None = None
    object: str | None = None
    customer: str | _Referred | None = None

    @classmethod
    def of(cls, value: StripeObject) -> "Listed":
        found = value.get("created")
        created = found if type(found) is int and 0 <= found < _END_OF_TIME else None  # a bool is an int
        return cls(_text(value, "id"), created, _text(value, "object"), reference(value, "customer"))

    @property
    def time(self) -> int | None:
        """Give `created`, 0 for a kind that has none, and None where another kind's has none."""
        return 0 if self.object in _UNDATED else self.created

    @property
    def customer_id(self) -> str | None:
        """Give the ID of the customer that the object names: Stripe writes it alone, or the whole customer."""
        return self.customer.id if isinstance(self.customer, _Referred) else self.customer


_LISTED = msgspec.json.Decoder(list[Listed])
_TEXTS = msgspec.json.Decoder(list[msgspec.Raw])


class Renderings(Protocol):
    """What was written of a page, by the view of it."""

    def get(self, view: object, /) -> bytes | None: ...

    def __setitem__(self, view: object, written: bytes, /) -> None: ...


class Page:
    """A page of `data`, or of objects that were read by `skimmed` and not parsed yet.

    `raw` is the page as Stripe wrote it, `written` its objects with commas between them; None where `data` is not
    exactly that page. `next_page` leads a search on. Several requests may share a page, so nobody may change its
    objects; `renderings` has what was written of it so far.
    """

    __slots__ = ("_data", "_listed", "_texts", "more", "next_page", "raw", "renderings", "written")

    def __init__(
        self, data: Sequence[StripeObject], *, more: bool, raw: bytes | None = None, next_page: str | None = None
    ) -> None:
        self._data: list[StripeObject] | None = list(data)
        self._listed: Sequence[Listed] | None = None
        self._texts: Sequence[bytes] | None = None
        self.more, self.raw, self.next_page = more, raw, next_page
        self.written: bytes | None = None
        self.renderings: Renderings = {}

    @classmethod
    def skimmed(cls, written: bytes, listed: Sequence[Listed], *, more: bool, raw: bytes | None = None) -> "Page":
        """Make a page of objects that are proper JSON, with commas between them, and of what `listed_in` gave."""
        page = cls((), more=more, raw=raw)
        page._data, page.written, page._listed = None, written, listed
        return page

    def untouched(self, renderings: Renderings) -> "Page":
        """Give the same skimmed page as if nobody had looked into its objects yet."""
        page = Page.skimmed(self.written or b"", more=self.more, raw=self.raw, listed=self.listed)
        page.renderings = renderings
        return page

    def __len__(self) -> int:
        return len(self.listed)

    def __iter__(self) -> Iterator[StripeObject]:
        return iter(self.data)

    @property
    def data(self) -> list[StripeObject]:
        """The objects, parsed once. Raises StripeUnavailable where they are nested too deeply for that."""
        if self._data is None:
            self._data = _parsed(self.written or b"")
        return self._data

    @property
    def texts(self) -> Sequence[bytes]:
        """Each object as a text of its own, taken apart once."""
        if self._texts is None:
            self._texts = [orjson.dumps(value) for value in self.data] if self.written is None else texts(self.written)
        return self._texts

    @property
    def listed(self) -> Sequence[Listed]:
        if self._listed is None:
            self._listed = [Listed.of(value) for value in self._data or ()]
        return self._listed


def listed_in(array: bytes | memoryview) -> list[Listed]:
    """Read an array of objects, and prove that it is JSON, except for what its texts are encoded in.

    Raises ValueError where one is no object, or has another type than usual in what a list needs to know, and
    RecursionError where one is nested too deeply.
    """
    return _LISTED.decode(array)


def texts(written: bytes) -> list[bytes]:
    """Split objects, written with commas between them, into one text for each."""
    return [bytes(raw) for raw in _TEXTS.decode(b"[" + written + b"]")]


def _parsed(written: bytes) -> list[StripeObject]:
    try:
        data = parsed(b"[" + written + b"]")
    except ValueError as error:
        raise StripeUnavailable("Stripe's answer cannot be read.", detail="no JSON that can be parsed") from error
    assert isinstance(data, list)  # noqa: S101 - it was read before, without what is in the objects
    return data


def _text(value: Mapping[str, object], name: str) -> str | None:
    found = value.get(name)
    return found if isinstance(found, str) else None
