"""Judges for `check` whether Directus believes the client addresses that we pass on, and if not, why.

Two causes look alike: Directus ignores the header, or a proxy between us and Directus overwrites it. Whether there is a
proxy shows in its answers.
"""

import re
from collections.abc import Mapping

from sidecar.commands.lines import Line, Word
from sidecar.settings import Settings

BELIEF = "whether Directus believes the addresses we pass on"
TRUST = "Directus's IP_TRUST_PROXY must trust the sidecar; in Directus 12 it is off by default"


def believes(settings: Settings, as_nobody: object, *, provisioned: bool) -> bool | None:
    """`as_nobody` are the permissions for an address that `provision`'s policy excludes.

    Only with that policy (`provisioned`) does it say something if the address changes nothing; otherwise None.
    """
    if isinstance(as_nobody, dict) and settings.stripe_customers_collection not in as_nobody:
        return True
    return False if provisioned else None


def address_line(settings: Settings, *, believed: bool | None, proxy: str | None) -> Line:
    """`proxy` describes the proxy in front of Directus; None if nothing shows one."""
    match believed:
        case True:
            return Line(Word.OK, "Directus believes the addresses we pass on")
        case None:
            return Line(Word.NOTE, f"{BELIEF} shows only with `provision`'s service token; {TRUST}")
        case False:
            causes = _causes(settings, proxy)
            by_hand = "or, if the service policy was made by hand, run `provision` for one that shows it"
            return Line(Word.FAULT, f"Directus does not believe the addresses we pass on: {causes}; {by_hand}")


def _causes(settings: Settings, proxy: str | None) -> str:
    header, custom = settings.address_header, settings.ip_custom_header is not None
    ignored = f"Directus's IP_CUSTOM_HEADER must be {header}, as here" if custom else TRUST
    if proxy is None:
        return f"{ignored}, and a proxy in front of it, if there is one, must not overwrite {header}"
    passed = f"pass {header} on as it came" if custom else f"append to {header} and not overwrite it"
    return (
        f"the proxy in front of it ({proxy}) must {passed}, or DIRECTUS_URL must be Directus's own address; "
        f"if the proxy does, {ignored}"
    )


def proxy_in_front(url: str, headers: Mapping[str, str]) -> str | None:
    """Describe the proxy whose answer has these headers; None for an answer that comes from Directus itself.

    Directus speaks no TLS, and Node sends `Keep-Alive`, which a proxy does not pass on (RFC 9110, 7.6.1), but neither
    `Server` nor `Via`.
    """
    for name in ("Server", "Via"):
        if said := headers.get(name):
            return f"{name}: {re.sub(r'[^A-Za-z0-9 ./_-]', '', said)[:40]}"
    if url.startswith("https:"):
        return "it speaks https, Directus itself does not"
    return None if "Keep-Alive" in headers else "it answers without Node's Keep-Alive"
