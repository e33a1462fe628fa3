"""The refusal of a known caller: one status, one reason, and how an administrator mends it."""

from dataclasses import dataclass

from sidecar.core.access.permissions import Action
from sidecar.core.access.policy import Reason, Requirement, explain
from sidecar.errors import CredentialMissing, NoCustomerYet, PermissionDenied

_SIGN_IN = "Sign in to Directus and send its token or session with the request."
_ABOUT_CUSTOMERS = frozenset({Reason.NO_CUSTOMERS, Reason.NO_ID_FIELD, Reason.NO_KEY_FIELD})


@dataclass(frozen=True, slots=True)
class Refusals:
    """`status` is DENIED_STATUS: 401 or 403."""

    status: int

    def denied(self, reason: Reason, requirement: Requirement, about: str = "") -> PermissionDenied:
        """Give the error for a requirement that is not met, with the permission that is missing.

        `about` names the part of the request that is refused, where it is not the whole.
        """
        wanted = (requirement.collection, requirement.action)
        if reason in _ABOUT_CUSTOMERS:
            wanted = (requirement.customers.name, Action.READ)
        return PermissionDenied(
            f"{about}: {explain(reason, requirement)}" if about else explain(reason, requirement),
            reason=reason,
            status=self.status,
            extensions={"collection": wanted[0], "action": wanted[1]},
        )

    def no_customer(self, requirement: Requirement) -> NoCustomerYet:
        """Give the error for a caller none of whose items names a customer."""
        return NoCustomerYet(
            explain(Reason.NO_CUSTOMER_YET, requirement),
            reason=Reason.NO_CUSTOMER_YET,
            extensions={"collection": requirement.customers.name},
        )

    def nobody(self, fault: str) -> CredentialMissing:
        """Give the error for a request without a credential; `fault` says what it has in the place of one, if any."""
        if not fault:
            return CredentialMissing(_SIGN_IN)
        return CredentialMissing(f"{fault} {_SIGN_IN}", extensions={"reason": "no_bearer_token"})

    def guest(self, reason: Reason, requirement: Requirement, fault: str) -> CredentialMissing:
        """Give the error for a request without a credential that the public policy does not allow either.

        It is always a 401: signing in may help.
        """
        sign_in = f"{fault} {_SIGN_IN}" if fault else _SIGN_IN
        return CredentialMissing(
            f'{sign_in} Without one Directus\'s public policy decides, and it does not permit "{requirement.action}" '
            f'for every item of the collection "{requirement.collection}".',
            extensions={"reason": reason, "collection": requirement.collection, "action": requirement.action},
        )
