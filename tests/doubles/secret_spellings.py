"""Secrets in the spellings in which a value may hold them, and what a reader could decode of an answer."""

import re
from urllib.parse import unquote

from hypothesis import strategies as st

CODE = "MARKEDwithin7"
# One of each kind that Stripe has: of intents, sessions, a customer's session, a source, keys, a webhook, tokens.
CLIENT_SECRETS = (
    f"pi_3Abc_secret_{CODE}",
    f"seti_1Abc_secret_{CODE}",
    f"cs_test_a1Abc_secret_{CODE}%2Fx%3D",
    f"src_client_secret_{CODE}",
    f"cuss_secret_{CODE}abcdefgh",
    f"accs_secret__{CODE}abcdefgh",
    f"https://hooks.example/3ds?payment_intent=pi_3&payment_intent_client_secret={CODE}",
    f'{{"client_secret": "{CODE}"}}',
)
KEYS = (
    f"ek_test_{CODE},x",
    f"ek_live_{CODE}",
    f"sk_live_{CODE}",
    f"rk_test_{CODE}",
    f"sk_org_live_{CODE}",
    f"whsec_{CODE}",
    f"tok_{CODE}",
    f"btok_{CODE}",
)
# What only looks like a secret to somebody in a hurry.
PUBLIC = (
    "Secret_Garden",
    "my_secret_plan",
    "secret",
    "client_secret",
    "the_client_secret is yours",
    "pk_test_51Abc",
    "cs_test_a1Abc",
    "desk_test_1",
    "risk_live_1",
    "https://shop.example/a%20b%2Fc?x=%3D%5B1%5D&y=100%",
    "50% off_season",
    "C:\\users\\new",
    "pi_3Abc",
    "caf\u00e9_\u00fc",
)


_WAYS = ("", "%", "%%", "u")


def _percent(letter: str, times: int, *, lower: bool) -> str:
    for _ in range(times):
        letter = "".join(f"%{ord(one):02x}" if lower else f"%{ord(one):02X}" for one in letter[:1]) + letter[1:]
    return letter


@st.composite
def spellings(draw: st.DrawFn, secret: str) -> str:
    """Encode some letters: percent-encoded once or twice, or escaped as JSON does in a text within a text."""
    ways = (_WAYS[byte % len(_WAYS)] for byte in draw(st.binary(min_size=len(secret), max_size=len(secret))))
    lower = draw(st.booleans())
    return "".join(
        f"\\u{ord(letter):04x}" if way == "u" else _percent(letter, len(way), lower=lower)
        for letter, way in zip(secret, ways, strict=True)
    )


def decoded(text: str) -> str:
    """Undo what a reader can undo."""
    for _ in range(6):
        text = re.sub(r"\\+u([0-9A-Fa-f]{4})", lambda found: chr(int(found[1], 16)), unquote(text))
    return text
