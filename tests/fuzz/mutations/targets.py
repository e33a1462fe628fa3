"""Changes of the request target: the path, the query, and the ways to write them."""

import re
from collections.abc import Sequence
from random import Random
from urllib.parse import quote

from tests.fuzz.drafts import Draft
from tests.fuzz.mutations.words import FORBIDDEN, IDS, TEXTS

_ID = re.compile(r"\b[a-z_]+_[A-Z]{3,}\b")
_BROKEN = ("%", "%2", "%zz", "%u0041", "%c0%ae", "%ff", "%ed%a0%80", "%00", "%0d%0aX-Injected:%201", "%25%30%30", "+")
_DOTS = ("/../", "/./", "//", "/..;/", "/%2e%2e/", "/..%2f", "/%2e/", "\\", "/.%00/", "/;x=1/", "/x/../")
_CURSORS = ("starting_after", "ending_before", "limit", "created[gte]", "created[lt]", "created", "type", "status")


def encode_a_character(draft: Draft, random: Random) -> None:
    """Write one character of the path as an escape, or as an escaped escape."""
    path, mark, query = draft.target.partition("?")
    path = path or "/"
    place = random.randrange(len(path))
    written = random.choice(("%{:02x}", "%{:02X}", "%25{:02x}")).format(ord(path[place]) % 256)
    draft.target = f"{path[:place]}{written}{path[place + 1 :]}{mark}{query}"


def break_an_escape(draft: Draft, random: Random) -> None:
    place = random.randrange(len(draft.target) + 1)
    draft.target = draft.target[:place] + random.choice(_BROKEN) + draft.target[place:]


def turn_in_the_path(draft: Draft, random: Random) -> None:
    slashes = [match.start() for match in re.finditer("/", draft.target.partition("?")[0])]
    if slashes:
        place = random.choice(slashes)
        draft.target = draft.target[:place] + random.choice(_DOTS) + draft.target[place + 1 :]


def spell_the_path_differently(draft: Draft, random: Random) -> None:
    path, mark, query = draft.target.partition("?")
    path = random.choice(
        (path.upper(), path + "/", path + "%20", path + ";x=1", path + ".json", path.title(), "/" + path)
    )
    draft.target = path + mark + query


def name_another_object(draft: Draft, random: Random) -> None:
    """Put another ID, or what looks like one, in place of one in the target."""
    if found := list(_ID.finditer(draft.target)):
        one = random.choice(found)
        value = random.choice(IDS)
        value = quote(value, safe="/?[]=%") if random.random() < 0.7 else value
        draft.target = draft.target[: one.start()] + value + draft.target[one.end() :]


def add_a_parameter(draft: Draft, random: Random) -> None:
    name = random.choice((*_CURSORS, *FORBIDDEN))
    value = random.choice((*TEXTS, *IDS, "5", "100", "101", "1700000000"))
    written = f"{name}={value}" if random.random() < 0.2 else f"{quote(name, safe='[]')}={quote(value, safe='')}"
    draft.target += ("&" if "?" in draft.target else "?") + written


def ask_as_stripe_would(draft: Draft, random: Random) -> None:
    """Add a parameter in its proper form, so that it may well be accepted."""
    good = (
        "limit=1",
        "limit=100",
        "created[gte]=1",
        "created[lt]=2000000000",
        "starting_after=pi_ABSENT",
        "status=all",
    )
    draft.target += ("&" if "?" in draft.target else "?") + random.choice(good)


def repeat_a_parameter(draft: Draft, random: Random) -> None:
    path, mark, query = draft.target.partition("?")
    parts = query.split("&")
    draft.target = f"{path}?{'&'.join([*parts, random.choice(parts)])}" if mark else f"{path}?&&;=&="


def drop_the_query(draft: Draft, _random: Random) -> None:
    draft.target = draft.target.partition("?")[0]


def write_the_query_into_the_path(draft: Draft, random: Random) -> None:
    """Write the query's mark so that what follows, perhaps a token, is a part of the path."""
    draft.target = draft.target.replace("?", random.choice(("%3F", "%3f", "%253F", "&", ";", "/", "%00?")))


def write_the_target_in_another_form(draft: Draft, random: Random) -> None:
    """Use the absolute form, the asterisk, a fragment, or what is no target (RFC 9112, "Request Target")."""
    host = random.choice(("sidecar.test", "evil.example", "api.stripe.com", "sidecar.test:99999", "a@b", "[::1", ""))
    forms: Sequence[str] = (
        f"http://{host}{draft.target}",
        f"https://{host}{draft.target}",
        f"//{host}{draft.target}",
        "*",
        f"{host}:443",
        f"{draft.target}#fragment",
        draft.target.lstrip("/"),
        draft.target.replace("/", "\\"),
        draft.target + " " + draft.target,
        "",
        "javascript:alert(1)",
    )
    draft.target = random.choice(forms)


def lengthen_the_target(draft: Draft, random: Random) -> None:
    draft.target += ("&" if "?" in draft.target else "?") + "a=" + "b" * random.choice((1000, 8190, 17000, 90_000))


def swap_the_route(draft: Draft, random: Random) -> None:
    """Keep headers and body and ask another route for them."""
    others = ("/stripe/customers", "/stripe/payments", "/stripe/webhooks", "/stripe/refunds", "/logout", "/metrics")
    draft.target = random.choice(others)


TARGETS = (
    encode_a_character,
    break_an_escape,
    turn_in_the_path,
    spell_the_path_differently,
    name_another_object,
    name_another_object,
    add_a_parameter,
    add_a_parameter,
    ask_as_stripe_would,
    ask_as_stripe_would,
    repeat_a_parameter,
    drop_the_query,
    write_the_query_into_the_path,
    write_the_target_in_another_form,
    lengthen_the_target,
    swap_the_route,
)
