"""The guarantees of the CronJob that runs `reconcile`, in either overlay."""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from sidecar.__main__ import main
from sidecar.settings import Settings, load

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy/kubernetes"
Manifest = dict[str, Any]


def render(overlay: str, folder: Path) -> list[Manifest]:
    """Render a project's own overlay, which adds the component to one of ours."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("kubectl, which renders the overlays, is not installed")
    ours = {name: os.path.relpath(KUBERNETES / name, folder) for name in (overlay, "reconcile")}
    kustomization = {"resources": [ours[overlay]], "components": [ours["reconcile"]]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    rendered = subprocess.run([kubectl, "kustomize", str(folder)], check=True, capture_output=True)  # noqa: S603 - our own overlay
    return list(yaml.safe_load_all(rendered.stdout))


@pytest.fixture(scope="module", params=["sidecar", "standalone"])
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    return render(request.param, tmp_path_factory.mktemp(request.param).resolve())


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def cronjob(manifests: list[Manifest]) -> Manifest:
    [found] = of_kind(manifests, "CronJob")
    return dict(found["spec"])


def template(manifests: list[Manifest]) -> Manifest:
    return dict(cronjob(manifests)["jobTemplate"]["spec"]["template"])


def container(manifests: list[Manifest]) -> Manifest:
    [found] = template(manifests)["spec"]["containers"]
    return dict(found)


def served(manifests: list[Manifest]) -> Manifest:
    """Give the pod of the deployment that serves."""
    [deployment] = of_kind(manifests, "Deployment")
    return dict(deployment["spec"]["template"])


def serving(manifests: list[Manifest]) -> Manifest:
    [found] = [each for each in served(manifests)["spec"]["containers"] if each["name"] == "stripe-sidecar"]
    return dict(found)


def settings_of(manifests: list[Manifest]) -> dict[str, str]:
    [config] = [each for each in of_kind(manifests, "ConfigMap") if "DIRECTUS_URL" in each["data"]]
    return dict(config["data"])


def test_one_at_a_time_and_often_enough(manifests: list[Manifest]) -> None:
    """A run starts every hour unless one is under way, is not repeated for its findings, and ends before the next."""
    assert cronjob(manifests)["schedule"].split()[1:] == ["*"] * 4
    assert cronjob(manifests)["concurrencyPolicy"] == "Forbid"
    assert cronjob(manifests)["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert cronjob(manifests)["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 3600
    assert template(manifests)["spec"]["restartPolicy"] == "Never"


def test_it_is_restricted_like_the_service(manifests: list[Manifest]) -> None:
    """Image, restrictions and secrets are those of the container that serves."""
    for name in ("image", "securityContext", "envFrom"):
        assert container(manifests)[name] == serving(manifests)[name]
    assert all(mount in serving(manifests)["volumeMounts"] for mount in container(manifests)["volumeMounts"])
    secrets = [each for each in served(manifests)["spec"]["volumes"] if each["name"] == "stripe-sidecar-secrets"]
    assert template(manifests)["spec"]["volumes"] == secrets
    assert template(manifests)["spec"]["automountServiceAccountToken"] is False


def test_image_is_this_version(manifests: list[Manifest]) -> None:
    """It runs the version that the project declares."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert container(manifests)["image"] == f"directus-stripe-sidecar:{version}"


def test_it_gets_no_requests(manifests: list[Manifest]) -> None:
    """No service, budget or policy of the serving pods selects its pod; its own policy lets nothing in."""
    labels = template(manifests)["metadata"]["labels"].items()
    [service] = of_kind(manifests, "Service")
    budgets = [budget["spec"]["selector"]["matchLabels"] for budget in of_kind(manifests, "PodDisruptionBudget")]
    policies = [policy["spec"] for policy in of_kind(manifests, "NetworkPolicy")]

    assert not [one for one in (service["spec"]["selector"], *budgets) if one.items() <= labels]
    [policy] = [one for one in policies if one["podSelector"]["matchLabels"].items() <= labels]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy
    assert [[port["port"] for port in rule["ports"]] for rule in policy["egress"]] == [[53, 53], [8055], [443]]


def test_the_way_out_is_the_services(tmp_path: Path) -> None:
    """Its network policy allows exactly the destinations of the service."""
    own, services = sorted(
        of_kind(render("standalone", tmp_path.resolve()), "NetworkPolicy"),
        key=lambda policy: -len(policy["metadata"]["name"]),
    )

    assert own["spec"]["egress"] == services["spec"]["egress"]


def test_settings_start_it(manifests: list[Manifest], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the secrets in place the settings are usable, for the job and for the service, which writes back."""
    given = settings_of(manifests) | {entry["name"]: entry["value"] for entry in container(manifests)["env"]}
    [mount] = container(manifests)["volumeMounts"]
    for name, value in given.items():
        if name.endswith("_FILE"):
            assert Path(value).parent == Path(mount["mountPath"])
            (tmp_path / Path(value).name).write_text("sk_test_made_up_of_32_characters_or_more\n")
        monkeypatch.setenv(name, str(tmp_path / Path(value).name) if name.endswith("_FILE") else value)

    settings = load(Settings)

    assert settings.stripe_write_back
    assert settings.directus_service_token is not None
    assert settings.directus_url == "http://directus:8055"


def test_arguments_are_its_own(
    manifests: list[Manifest], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command line accepts the command and the option: the only faults here are missing settings."""
    monkeypatch.delenv("DIRECTUS_URL", raising=False)

    code = main(container(manifests)["args"])

    said = capsys.readouterr().err
    assert (code, container(manifests)["args"][0]) == (2, "reconcile")
    assert "DIRECTUS_URL: is not set" in said
    assert "--since" not in said
