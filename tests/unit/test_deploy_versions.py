"""On which versions of Kubernetes the manifests can be applied: the API's schemas of each, with no unknown property."""

from collections.abc import Sequence

import kubernetes_validate
import pytest
from kubernetes_validate.utils import all_versions

from tests.doubles.cluster import Manifest, render

OLDEST = "1.25"  # as deploy/README.md says; the library has no schemas of older ones
VERSIONS = list(dict.fromkeys(each.rpartition(".")[0] for each in all_versions()))
COMPONENTS = ("reconcile", "monitoring", "flow", "redis")


@pytest.fixture(scope="module", params=["sidecar", "standalone"])
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Manifest]:
    return render(tmp_path_factory.mktemp(request.param), request.param, *COMPONENTS)


def test_versions_are_from_the_oldest_to_the_newest() -> None:
    """No minor version is left out, from the oldest that is promised to the newest that is known."""
    major, oldest = map(int, OLDEST.split("."))
    expected = [f"{major}.{minor}" for minor in range(oldest, oldest + len(VERSIONS))]

    assert expected == VERSIONS
    assert f"{VERSIONS[-1]}.0" == kubernetes_validate.latest_version()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_fits(manifests: Sequence[Manifest], version: str) -> None:
    """Both overlays, with all components, fit each version's schemas."""
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)
