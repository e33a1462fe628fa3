"""O3: which customers of before there were signatures are signed, and which ones a person must decide about."""

from dataclasses import replace

import pytest

from sidecar.core.flows.adoption import Adoption, Doubt, Doubtful, judge, of_before
from sidecar.core.flows.item_links import NamedItem
from tests.unit.core.flows.creations import LINKS

SHOP = replace(LINKS, project="shop")
OTHERS = replace(SHOP, secrets=("of-another-directus-and-32-bytes-long",))
BEFORE = {"directus_collection": "customers", "directus_item": "7"}
UNSIGNED = NamedItem("shop", "7", signed=False, with_signature=False)
FOREIGN = NamedItem("shop", "7", signed=False, with_signature=True)
OUTDATED = NamedItem("shop", "7", signed=True, with_signature=True, outdated=True)
REPLACED = replace(SHOP, secrets=(*OTHERS.secrets, *SHOP.secrets))


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({**BEFORE, "directus_project": "shop"}, UNSIGNED),
        ({**BEFORE, "directus_project": "directus"}, replace(UNSIGNED, project="directus")),
        (OTHERS.metadata(7), FOREIGN),
        (SHOP.metadata(7), None),
        ({**BEFORE, "directus_project": "another"}, None),
        ({**BEFORE, "directus_project": "shop", "directus_collection": "another"}, None),
        (None, None),
    ],
    ids=["ours", "the former default", "signed by another", "signed", "another project", "another collection", "none"],
)
def test_of_before(metadata: object, named: NamedItem | None) -> None:
    """What names this project, or none as in the former default, and is not signed by it may be of before."""
    assert of_before(SHOP, metadata) == named


def test_of_a_secret_that_is_replaced() -> None:
    """What the old secret signed is signed anew while it is believed; what the new one signed stays."""
    assert of_before(REPLACED, SHOP.metadata(7)) == OUTDATED
    assert of_before(REPLACED, REPLACED.metadata(7)) is None
    assert REPLACED.item_of(SHOP.metadata(7)) == "7"


@pytest.mark.parametrize(
    ("named", "linked", "exists", "verdict"),
    [
        (OUTDATED, "cus_1", True, Adoption("cus_1", "7")),
        (OUTDATED, None, True, Doubtful(Doubt.NOT_FILLED, "cus_1", "7")),
        (OUTDATED, "cus_2", True, Doubtful(Doubt.ELSEWHERE, "cus_1", "7")),
        (UNSIGNED, "cus_1", True, Adoption("cus_1", "7")),
        (UNSIGNED, None, True, Doubtful(Doubt.NOT_LINKED, "cus_1", "7")),
        (UNSIGNED, "cus_2", True, Doubtful(Doubt.ELSEWHERE, "cus_1", "7")),
        (UNSIGNED, None, False, Doubtful(Doubt.GONE, "cus_1", "7")),
        (FOREIGN, "cus_1", True, Doubtful(Doubt.SIGNED_BY_ANOTHER, "cus_1", "7")),
        (FOREIGN, None, True, Doubtful(Doubt.SIGNED_BY_ANOTHER, "cus_1", "7")),
    ],
)
def test_only_the_item_proves(
    named: NamedItem, linked: str | None, verdict: Adoption | Doubtful, *, exists: bool
) -> None:
    """A customer is signed without a person's word only if its item contains its ID and nobody else signed it."""
    assert judge("cus_1", named, linked, exists=exists, chosen=()) == verdict


@pytest.mark.parametrize("named", [UNSIGNED, FOREIGN])
@pytest.mark.parametrize(
    ("linked", "exists", "verdict"),
    [
        ("cus_1", True, Adoption("cus_1", "7")),
        (None, True, Adoption("cus_1", "7", fill=True)),
        ("cus_2", True, Doubtful(Doubt.ELSEWHERE, "cus_1", "7")),
        (None, False, Doubtful(Doubt.GONE, "cus_1", "7")),
    ],
)
def test_a_person_decides(named: NamedItem, linked: str | None, verdict: Adoption | Doubtful, *, exists: bool) -> None:
    """A customer that a person named is signed and linked, unless its item is gone or has another one."""
    assert judge("cus_1", named, linked, exists=exists, chosen={"cus_1"}) == verdict
