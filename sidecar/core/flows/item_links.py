"""The signed link from a customer at Stripe to the item that it was created for.

A Stripe account may be shared: another Directus, or any other application with a key, can write any metadata. So the
metadata of a customer counts only with a signature that nobody without SIDECAR_SECRET can make, and so do the
idempotency keys: with a guessable key another Directus would be given our customer.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.core.derived_keys import derived_key
from sidecar.core.flows.idempotency import joined
from sidecar.core.interfaces import PrimaryKey
from sidecar.core.operations.metadata import COLLECTION, ITEM, PROJECT, SIGNATURE


@dataclass(frozen=True, slots=True)
class NamedItem:
    """An item as a customer's metadata names it; `signed` by a secret of this project, `outdated` if not the first."""

    project: str
    item: str
    signed: bool
    with_signature: bool
    outdated: bool = False


@dataclass(frozen=True, slots=True)
class ItemLinks:
    """The links of one collection. `secrets`: the first one signs and makes keys, and each of them is believed."""

    project: str
    collection: str
    secrets: Sequence[str]

    @property
    def replacing(self) -> bool:
        """Whether a secret is being replaced, so that customers of today may have been created with another one."""
        return len(self.secrets) > 1

    def metadata(self, item: PrimaryKey) -> dict[str, str]:
        """Give the metadata by which a customer names its item; `reconcile` pairs the two by it."""
        names = {PROJECT: self.project, COLLECTION: self.collection, ITEM: str(item)}
        return {**names, SIGNATURE: self._signature(self.secrets[0], str(item))}

    def item_of(self, metadata: object) -> str | None:
        """Give the item that a customer's metadata names for this project and collection, signed; None otherwise."""
        named = self.named(metadata)
        return named.item if named is not None and named.signed else None

    def named(self, metadata: object) -> NamedItem | None:
        """Read which item of a collection of this name the metadata names, whoever wrote it."""
        match metadata:
            case {
                "directus_project": str(project),
                "directus_collection": self.collection,
                "directus_item": str(item),
                **rest,
            }:
                signature = rest.get(SIGNATURE)
                by = self._signers(item, signature) if isinstance(signature, str) and project == self.project else []
                return NamedItem(project, item, any(by), signature is not None, outdated=any(by[1:]) and not by[0])
            case _:
                return None

    def idempotency_key(self, item: PrimaryKey, *, after: str | None = None) -> str:
        """Name the intent "a customer for this item", the same for every try, caller and process.

        `after` is the item's former customer, which was deleted. Stripe separates keys by account and mode itself.
        """
        intent = ("item", self.project, self.collection, str(item))
        return self._mac(self.secrets[0], "idempotency keys", intent if after is None else (*intent, after))

    def _signers(self, item: str, signature: str) -> list[bool]:
        """Say of each secret whether it signed this."""
        given = signature.encode()
        return [hmac.compare_digest(self._signature(secret, item).encode(), given) for secret in self.secrets]

    def _signature(self, secret: str, item: str) -> str:
        return self._mac(secret, "metadata", (self.project, self.collection, item))

    @staticmethod
    def _mac(secret: str, use: str, parts: Sequence[str]) -> str:
        return hmac.new(derived_key(secret, use), joined(*parts), "sha256").hexdigest()
