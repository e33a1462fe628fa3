"""What `provision` makes and mends in Directus, in order: only what is missing or wrong, so it may run again."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from sidecar.clients.directus import project
from sidecar.commands.account import Account, provide_token, provide_user
from sidecar.commands.administrator import Administration
from sidecar.commands.asked import event_lines, fields_of_rules, keys_of, mirrored, missing_field, rule_lines
from sidecar.commands.check_server import NO_LICENSE
from sidecar.commands.flow import provide_flow
from sidecar.commands.grants import provide_policy
from sidecar.commands.lines import Line, Word
from sidecar.commands.own_secret import provide_secret
from sidecar.commands.rights import needed
from sidecar.commands.schema import provide_schema
from sidecar.commands.secret_files import Files
from sidecar.commands.status_fields import provide_status_fields
from sidecar.settings import OperationsSettings

NO_PROJECT = "this Directus has no project_id, as before version 11.9: name it by DIRECTUS_PROJECT"
_DESCRIPTION = (
    "All that the Stripe sidecar needs: it writes Stripe's customer IDs into items, it keeps items up to date where it "
    "gets Stripe's events, and its check finds policies that let callers write an ID. The policy allows every address "
    "that a client can have. The check claims an address that no client has, and so sees whether Directus believes the "
    "addresses that the sidecar passes on."
)


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asks for besides the settings.

    `flow` is the sidecar's address as Directus sees it. `email_field` is read by `link`.
    """

    files: Files = field(default_factory=Files)
    create_collection: bool = False
    flow: str | None = None
    email_field: str | None = None


def prepare(admin: Administration, settings: OperationsSettings, order: Order, *, licensed: bool) -> Iterator[Line]:
    """Check what rules and events name before anything is changed. Raises AdministratorFault."""
    fields = fields_of_rules(admin, settings)
    schema = provide_schema(admin, settings, create=order.create_collection)
    customers = settings.stripe_customers_collection
    found = [*rule_lines(settings, fields), *event_lines(admin, settings)]
    if order.email_field is not None:
        found += missing_field(customers, fields.get(customers, ()), order.email_field)
    yield from found
    if any(line.word is Word.FAULT for line in found):
        return
    if not licensed:
        yield Line(Word.NOTE, NO_LICENSE)
        yield from schema
        yield from _without_license(settings, order)
        return
    yield from schema
    yield from provide_status_fields(admin, settings)
    has_id = admin.find(f"fields/{project.COLLECTION}/{project.FIELD}") is not None
    rights = needed(
        settings,
        realtime=settings.directus_realtime,
        mirrored=mirrored(admin, settings),
        keys=keys_of(fields, customers),
        identity=has_id,
        also_read=order.email_field,
    )
    policy = yield from provide_policy(admin, settings.customers_collection.service_policy, _DESCRIPTION, rights)
    new = yield from _provide_account(admin, policy, settings, order.files)
    yield provide_secret(order.files, new_service=new)
    if not has_id:
        yield Line(Word.NOTE, NO_PROJECT)
    if order.flow is not None:
        yield from provide_flow(admin, settings, order.flow)


def _provide_account(
    admin: Administration, policy: str, settings: OperationsSettings, files: Files
) -> Generator[Line, None, bool]:
    """Make the service's user and token; the generator returns whether the token is new."""
    account = Account(
        "Stripe sidecar",
        settings.stripe_customers_collection,
        "Has no login, only the static token that the Stripe sidecar uses.",
    )
    user = yield from provide_user(admin, policy, account)
    token = provide_token(admin, user, files)
    yield token
    return token.word is Word.CREATED


def _without_license(settings: OperationsSettings, order: Order) -> Iterator[Line]:
    """A missing service token is a fault only if something was asked for that needs it."""
    if order.files.secret is not None:
        yield provide_secret(order.files, new_service=False)
    wanting = {
        "--token-file": order.files.token is not None,
        "--flow": order.flow is not None,
        "--email-field": order.email_field is not None,
        "DIRECTUS_REALTIME": settings.directus_realtime,
        "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret is not None,
    }
    asked = " and ".join(name for name, wants in wanting.items() if wants)
    missing = f'no policy "{settings.customers_collection.service_policy}" and no token: they need a license'
    yield Line(Word.FAULT, f"{missing}, and so does {asked}") if asked else Line(Word.NOTE, missing)
