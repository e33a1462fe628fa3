"""Public policies in the double of Directus, and a service token that may read who holds which policy."""

from collections.abc import Mapping, Sequence

from sidecar.clients.directus.policies import READ
from sidecar.core.access.known_addresses import EVERY_ADDRESS
from tests.doubles.directus import DirectusDouble, Row, User, full, grants
from tests.doubles.running_app import SERVICE_TOKEN


def reader() -> User:
    """Make the service's user, with a policy as `provision` makes it."""
    rights = {name: grants(name, read=full(*fields))[name] for name, fields in READ.items()}
    return User("service", SERVICE_TOKEN, rights, ip_access=EVERY_ADDRESS)


def publish(
    directus: DirectusDouble,
    collection: str,
    action: str = "read",
    *fields: str,
    item: Mapping[str, object] | None = None,
    ip_access: Sequence[str] | None = None,
) -> Row:
    """Grant something to everybody by one more public policy; give the row that assigns it."""
    number = len(directus.system["policies"])
    policy = f"public-{number}"
    rule: Row = {"collection": collection, "action": action, "fields": list(fields or "*"), "permissions": item}
    assigned: Row = {"id": f"access-{number}", "policy": policy, "role": None, "user": None}
    directus.system["permissions"].append({"id": number, **rule, "policy": policy})
    directus.system["policies"].append({"id": policy, "name": policy, "ip_access": ip_access})
    directus.system["access"].append(assigned)
    return assigned
