"""Who asks: one of each kind of caller, and what each may see, said without the service's own code.

A token contains `CORE`, so a search for that finds every token that was ever sent. A new token can be made of any
person for any request, which tells that request's questions to Directus from all others.
"""

import base64
import json
from dataclasses import dataclass, replace

from tests.doubles.directus import Grant, Payload, User, full, grants, partial

CORE = "MARKEDtoken"  # part of every token
SHOP = "shop"  # the collection that decides on what is nobody's
ID = "stripe_customer_id"
_MEMBER: dict[str, Grant] = {"update": partial("name", "email"), "create": full("email", "name")}
_IN_SHOP = grants(SHOP, create=full(), read=full(), update=full())


@dataclass(frozen=True, slots=True)
class Person:
    """`word` names the customers of a caller with its own rows only; it is None for one with all of them or none.

    `everything`: its fields are `*`. `known`: Directus accepts its tokens. A `session` is a token of Directus's own.
    """

    user: User
    word: str | None = None
    everything: bool = False
    known: bool = True
    session: bool = False

    @property
    def name(self) -> str:
        return self.user.name.removeprefix("user-")

    def grant(self, collection: str, action: str) -> Grant:
        return self.user.permissions.get(collection, {}).get(action, {}) if self.known else {}

    def may(self, collection: str, action: str, *, scopable: bool) -> bool:
        """Say whether Directus grants this at all, and to a caller with own rows only what is `scopable`."""
        if self.chooses_customers or self.user.of_a_share:
            return False
        grant = self.grant(collection, action)
        wanted = {"full", "partial"} if scopable else {"full"}
        return grant.get("access") in wanted and bool(grant.get("fields"))

    @property
    def has_own_rows_only(self) -> bool:
        return self.grant("customers", "read").get("access") == "partial"

    @property
    def chooses_customers(self) -> bool:
        """Whether it could put any customer's ID into its own row, so that its rows prove nothing (R5)."""
        written = [set(fields_of(self.grant("customers", action))) for action in ("create", "update")]
        return self.has_own_rows_only and any(fields & {ID, "*"} for fields in written)

    def sees(self, word: str) -> bool:
        """Say whether it may see anything of the customers of this word."""
        read = self.grant("customers", "read")
        refused = self.chooses_customers or self.user.of_a_share
        return bool(fields_of(read)) and not refused and (self.word == word or read["access"] == "full")

    def token(self, number: object) -> str:
        """Make one of this person's tokens; its characters are written in another way in a URL."""
        if not self.session:
            return f"{CORE}-{self.name}-{number}/+~"
        claims = {"id": self.user.name, "role": None, "iss": "directus", "exp": 9_999_999_999, "number": str(number)}
        if self.user.of_a_share:
            claims = {"share": "share-1", "role": None, "iss": "directus", "exp": 9_999_999_999, "number": str(number)}
        return ".".join((_part({"alg": "HS256", "typ": "JWT"}), _part(claims), f"{CORE}-{number}"))

    def known_by(self, token: str) -> User:
        """Give Directus's entry for one of this person's tokens."""
        return replace(self.user, token=token)


def fields_of(grant: Grant) -> list[str]:
    fields = grant.get("fields")
    return fields if isinstance(fields, list) else []


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _user(name: str, permissions: Payload | None = None, refused: str | None = None, *, share: bool = False) -> User:
    return User(f"user-{name}", "", permissions or {}, refused, of_a_share=share)


_ALL: dict[str, Grant] = {action: full() for action in ("create", "read", "update", "delete", "share")}
_EVERYTHING = grants("customers", **_ALL) | grants(SHOP, **_ALL)
MEMBER = Person(
    _user("member", grants("customers", read=partial("id", ID, "name", "email"), **_MEMBER) | _IN_SHOP), word="OWN"
)
PEOPLE = (
    Person(_user("admin", _EVERYTHING), everything=True),
    Person(_user("visitor", _EVERYTHING), everything=True, session=True),
    Person(_user("reader", grants(read=full()) | grants(SHOP, read=full())), everything=True),
    Person(
        _user(
            "clerk",  # every customer, and of it only what a few fields map to
            grants(read=full("id", ID, "name"), update=full("name"), create=full("name", "email"))
            | grants(SHOP, read=full("id"), create=full("id"), update=full("id")),
        )
    ),
    Person(_user("creator", grants(create=full()))),
    MEMBER,
    Person(_user("guest", grants(read=partial("id", ID), update=partial("name")) | _IN_SHOP), "GUEST", session=True),
    Person(_user("wide", grants(read=partial(), update=partial("name", "email"))), "WIDE", everything=True),
    Person(_user("rowless", grants("customers", read=partial("id", ID, "name"), **_MEMBER)), "NONE"),
    Person(_user("share", grants(read=partial("id", ID, "name")), share=True), "SHARED", session=True),
    Person(
        _user("meddler", grants(read=partial("id", ID), update=full(ID, "name"))), "MEDDLED"
    ),  # refused: may write IDs
    Person(_user("outsider", grants("elsewhere", **_ALL))),
    Person(_user("blind", grants(read={"access": "full"}))),  # a grant without fields is none
    Person(_user("suspended", _EVERYTHING, "INVALID_CREDENTIALS"), known=False),
    Person(_user("expired", _EVERYTHING, "TOKEN_EXPIRED"), known=False, session=True),
)
BY_NAME = {person.name: person for person in PEOPLE}
WORDS = tuple(person.word for person in PEOPLE if person.word not in {None, "NONE"})
FOREIGN, HIDDEN = "FOREIGN", "HIDDEN"  # nobody's own; requests never name what is HIDDEN
