"""The Helm chart: the same objects as the overlay `standalone` and its components, and values that are checked."""

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any, get_args

import kubernetes_validate
import pytest
import yaml
from pydantic import SecretStr

from deploy.demo.progress import Fault
from sidecar.settings import Settings
from tests import programs
from tests.absent import left_out
from tests.doubles.cluster import Manifest, render

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/directus-stripe-sidecar"
PARTS = ("reconcile", "monitoring", "flow", "redis", "tracing")
HELMS_OWN = ("app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart")


@pytest.fixture(scope="session")
def helm() -> Path:
    try:
        return programs.helm()
    except Fault as fault:
        left_out(f"Helm could not be had: {fault}")


def ran(helm: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([helm, *arguments], check=False, capture_output=True, text=True, timeout=120)  # noqa: S603 - our own chart


def templated(helm: Path, *values: str) -> list[Manifest]:
    ended = ran(
        helm,
        "template",
        "any",
        str(CHART),
        *(f"--set{'-string' if value.startswith('settings.') else ''}={value}" for value in values),
    )
    assert ended.returncode == 0, ended.stderr
    return [manifest for manifest in yaml.safe_load_all(ended.stdout) if manifest]


def essence(manifests: list[Manifest], *, renamed: bool = False) -> dict[tuple[str, str], Manifest]:
    """Give each object by kind and name, without what either tool adds; kustomize's ConfigMaps are `renamed`."""
    names = [m["metadata"]["name"] for m in manifests if renamed and m["kind"] == "ConfigMap"]
    before = {name: name.rpartition("-")[0] for name in names}
    return {(m["kind"], m["metadata"]["name"]): m for m in (plain(each, before) for each in manifests)}


def plain(part: Any, before: dict[str, str]) -> Any:  # noqa: ANN401 - whatever YAML holds
    if isinstance(part, dict):
        kept = {
            key: plain(value, before) for key, value in part.items() if key not in (*HELMS_OWN, "checksum/settings")
        }
        return {key: value for key, value in kept.items() if value or key not in ("labels", "annotations")}
    if isinstance(part, list):
        return [plain(each, before) for each in part]
    return before.get(part, part) if isinstance(part, str) else part


def files(manifests: dict[tuple[str, str], Manifest]) -> list[Any]:
    """Take out the files of operations and events, whose comments may differ, and give what they say."""
    return [tomllib.loads(text) for text in manifests["ConfigMap", "stripe-sidecar-operations"].pop("data").values()]


def test_the_version_is_the_projects() -> None:
    """Chart, image and project have one version."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert (chart["version"], chart["appVersion"]) == (version, version)


def test_every_value_is_described() -> None:
    """The schema knows exactly the values that values.yaml has, at each level that is not the operator's own."""
    values, schema = (
        yaml.safe_load((CHART / "values.yaml").read_text()),
        json.loads((CHART / "values.schema.json").read_text()),
    )

    assert schema["properties"].keys() - {"global"} == values.keys()
    for name, part in schema["properties"].items():
        if "properties" in part:
            assert part["properties"].keys() == values[name].keys(), name


def test_no_secret_is_a_setting() -> None:
    """The schema refuses every secret of the service under `settings`, which whoever reads the release can read."""
    refused = json.loads((CHART / "values.schema.json").read_text())["properties"]["settings"]["propertyNames"]["not"]
    secrets = {name.upper() for name, each in Settings.model_fields.items() if holds_a_secret(each.annotation)}

    assert {"STRIPE_LIVE_SECRET_KEY", "SIDECAR_SECRET"} < secrets
    assert set(refused["enum"]) == secrets | {"DIRECTUS_ADMIN_TOKEN"}


def holds_a_secret(kind: object) -> bool:
    return kind is SecretStr or any(holds_a_secret(each) for each in get_args(kind))


def test_lint_finds_nothing(helm: Path) -> None:
    """`helm lint --strict` passes."""
    ended = ran(helm, "lint", "--strict", "--quiet", str(CHART))

    assert (ended.returncode, ended.stdout.strip()) == (0, "")


@pytest.mark.parametrize(
    "parts", [(), PARTS, *((part,) for part in PARTS)], ids=lambda parts: "+".join(parts) or "none"
)
def test_it_makes_what_the_overlay_makes(helm: Path, tmp_path: Path, parts: tuple[str, ...]) -> None:
    """With the same parts turned on, every object is the same as kustomize's."""
    chart = essence(templated(helm, *(f"{part}.enabled=true" for part in parts)))
    overlay = essence([each for each in render(tmp_path, "standalone", *parts) if each["kind"] != "List"], renamed=True)

    assert files(chart) == files(overlay) == [{}, {}]
    assert chart.keys() == overlay.keys()
    for name, manifest in overlay.items():
        assert alike(chart[name]) == alike(manifest), name


def alike(manifest: Manifest) -> Manifest:
    """Selectors of the one deployment are written with either of its labels, and an empty setting is the default's."""
    text = json.dumps(manifest, sort_keys=True)
    if manifest["kind"] in {"NetworkPolicy", "Service"}:
        text = text.replace('"stripe-sidecar": "true"', '"app.kubernetes.io/name": "stripe-sidecar"')
    text = text.replace('"imagePullPolicy": "IfNotPresent", ', "")
    found: Manifest = json.loads(text)
    if manifest["kind"] == "ConfigMap":
        found["data"] = {name: value for name, value in found.get("data", {}).items() if value}
    return found


def test_it_fits_every_version(helm: Path) -> None:
    """All that the chart can make fits the oldest Kubernetes that it names, and the newest."""
    every = templated(helm, *(f"{part}.enabled=true" for part in PARTS))
    oldest = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"].removeprefix(">=").removesuffix(".0-0")

    for version in (oldest, kubernetes_validate.latest_version()):
        for manifest in every:
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("ingres.enabled=true", "ingres"),
        ("settings.STRIPE_LIVE_SECRET_KEY=sk_live_made_up", "STRIPE_LIVE_SECRET_KEY"),
        ("settings.DIRECTUS_URL=null", "DIRECTUS_URL"),
        ("image.digest=sha256:short", "digest"),
        ("autoscaling.maxReplicas=0", "maxReplicas"),
        ("network.proxy=null", "proxy"),
    ],
)
def test_a_wrong_value_is_named(helm: Path, value: str, named: str) -> None:
    """A misspelt value, a secret among the settings and what nobody may leave out end the rendering."""
    ended = ran(helm, "template", "any", str(CHART), f"--set={value}")

    assert ended.returncode != 0
    assert named in ended.stderr


def test_replicas_share_what_stripe_allows(helm: Path) -> None:
    """F3: With other numbers of replicas each gets its part of Stripe's limits, and settings of one's own win."""
    [settings] = [
        m["data"]
        for m in templated(helm, "autoscaling.maxReplicas=9", "settings.STRIPE_ACCOUNT_RPS=5")
        if is_settings(m)
    ]

    assert (settings["STRIPE_MAX_RPS"], settings["STRIPE_ACCOUNT_RPS"]) == (str(25 // 12), "5")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (("autoscaling.maxReplicas=21",), "STRIPE_MAX_RPS"),
        (("autoscaling.maxReplicas=21", "stripe.endpointLimit=30"), None),
        (("stripe.accountLimit=7",), "STRIPE_ACCOUNT_RPS"),
        (("autoscaling.maxReplicas=21", "settings.STRIPE_MAX_RPS=0.5"), None),
        (("autoscaling.maxReplicas=200", "redis.enabled=true"), None),
    ],
)
def test_a_part_of_nothing_is_refused(helm: Path, values: tuple[str, ...], named: str | None) -> None:
    """More replicas than Stripe allows calls a second would get a rate of 0 and never start: the chart says so."""
    if named is None:
        assert templated(helm, *values)
        return
    ended = ran(helm, "template", "any", str(CHART), *(f"--set={value}" for value in values))

    assert ended.returncode != 0
    assert f"turn redis on, lower maxReplicas, or set settings.{named}" in ended.stderr


def is_settings(manifest: Manifest) -> bool:
    return bool(manifest["kind"] == "ConfigMap" and manifest["metadata"]["name"] == "stripe-sidecar")


def test_a_digest_goes_before_a_tag(helm: Path) -> None:
    """The image is named by the digest where there is one, in the deployment and in the job."""
    digest = f"sha256:{'a' * 64}"
    text = json.dumps(templated(helm, f"image.digest={digest}", "image.tag=other", "reconcile.enabled=true"))

    assert text.count(f'"image": "directus-stripe-sidecar@{digest}"') == 2


def test_a_gateway_is_another_way_in(helm: Path) -> None:
    """With a gateway there is an HTTPRoute for the prefix alone, which bounds no answer's time."""
    made = templated(helm, "gateway.enabled=true", "gateway.parentRefs[0].name=public", "ingress.enabled=false")
    [route] = [m["spec"] for m in made if m["kind"] == "HTTPRoute"]
    [rule] = route["rules"]

    assert not [m for m in made if m["kind"] == "Ingress"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/stripe"}}]
    assert (rule["timeouts"], route["parentRefs"]) == ({"request": "0s"}, [{"name": "public"}])
