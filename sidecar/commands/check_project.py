"""Whether the service can tell its customers from those of others on the same Stripe account."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator

import aiohttp

from sidecar import opening
from sidecar.clients.lists.account_customers import pages_since
from sidecar.commands.lines import Line, Word
from sidecar.core.flows.adoption import of_before
from sidecar.core.flows.item_links import ItemLinks
from sidecar.errors import DirectusUnavailable, StripeFailure
from sidecar.settings import Settings

_LOOKED_AT = 1_000  # of the newest customers
_MOST_NAMED = 3  # projects
_NO_PROJECT = "Directus does not say which project it is, so no customer can be created: run `provision`, or set "


async def project_lines(
    settings: Settings, to_directus: aiohttp.ClientSession, to_stripe: aiohttp.ClientSession
) -> AsyncIterator[Line]:
    """Say nothing where the service writes nothing back."""
    if not settings.stripe_write_back:
        return
    service = opening.service_credential(settings)
    if service is None and settings.directus_project is None:
        yield Line(
            Word.NOTE,
            "neither DIRECTUS_PROJECT nor DIRECTUS_SERVICE_TOKEN is set, so only callers who may read Directus's "
            "settings can create customers",
        )
        return
    try:
        name = await opening.project(settings, opening.directus_client(settings, to_directus)).name(service)
    except DirectusUnavailable as error:
        yield Line(Word.FAULT, f"{_NO_PROJECT}DIRECTUS_PROJECT ({error.detail})")
        return
    yield Line(Word.OK, f"customers are signed for the project {name}")
    links = ItemLinks(name, settings.stripe_customers_collection, opening.revealed(settings.sidecar_secret))
    try:
        found = await _look(settings, to_stripe, links)
    except StripeFailure:
        return  # another line says what is wrong with Stripe
    for line in found.lines():
        yield line


class _Others:
    """What the newest customers say of other projects. Another project's collection may have any name."""

    def __init__(self, links: ItemLinks) -> None:
        self._links = links
        self._projects: Counter[str] = Counter()
        self._signed_by_another = self._of_before = self._outdated = self._seen = 0

    def see(self, metadata: object) -> None:
        self._seen += 1
        if (named := of_before(self._links, metadata)) is not None:
            self._outdated += named.outdated
            self._signed_by_another += named.with_signature and not named.outdated
            self._of_before += not named.with_signature
            return
        match metadata:
            case {"directus_project": str(project)} if project != self._links.project:
                self._projects[project] += 1

    def lines(self) -> Iterator[Line]:
        among = f"of the newest {self._seen} customers"
        if self._signed_by_another:
            yield Line(
                Word.FAULT,
                f"{self._signed_by_another} {among} name this project but another SIDECAR_SECRET signed them: another "
                "Directus has this project's name, so give one of them another DIRECTUS_PROJECT; or this service had "
                "that secret, so list it behind the current one",
            )
        if self._outdated:
            yield Line(
                Word.NOTE,
                f"{self._outdated} {among} are signed with a secret that is being replaced: `reconcile --adopt` signs "
                "them with the new one, before the old one is taken out of SIDECAR_SECRET",
            )
        if self._of_before:
            yield Line(
                Word.NOTE,
                f"{self._of_before} {among} name a project but are not signed, so they are not believed: "
                "`reconcile --adopt --dry-run` lists what can be signed",
            )
        if self._projects:
            names = ", ".join(ascii(name) for name, _ in self._projects.most_common(_MOST_NAMED))
            yield Line(
                Word.NOTE,
                f"{self._projects.total()} {among} are of other projects ({names}): this Stripe account is shared, and "
                "whoever may read all customers here sees theirs too",
            )


async def _look(settings: Settings, session: aiohttp.ClientSession, links: ItemLinks) -> _Others:
    others, seen = _Others(links), 0
    async for page in pages_since(opening.stripe_client(settings, session), None):
        for customer in page:
            others.see(customer.get("metadata"))
        seen += len(page)
        if seen >= _LOOKED_AT:
            break
    return others
