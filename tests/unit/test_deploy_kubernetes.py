"""The guarantees of the rendered Kubernetes manifests."""

import math
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from sidecar import __version__
from sidecar.settings import Settings, load

ROOT = Path(__file__).parents[2]
CONTAINER = "stripe-sidecar"
ENDPOINT_LIMIT, ACCOUNT_LIMIT = 25, 100  # calls a second with a live key (docs.stripe.com/rate-limits)
Manifest = dict[str, Any]


def render(overlay: str) -> list[Manifest]:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("kubectl, which renders the overlays, is not installed")
    command = [kubectl, "kustomize", str(ROOT / "deploy/kubernetes" / overlay)]
    rendered = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own overlay
    return list(yaml.safe_load_all(rendered.stdout))


@pytest.fixture(scope="module", params=["sidecar", "standalone"])
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return render(request.param)


@pytest.fixture(scope="module")
def standalone() -> list[Manifest]:
    return render("standalone")


def one(manifests: list[Manifest], kind: str) -> Manifest:
    [manifest] = [m for m in manifests if m["kind"] == kind]
    return manifest


def settings_map(manifests: list[Manifest]) -> Manifest:
    [manifest] = [m for m in manifests if m["kind"] == "ConfigMap" and "DIRECTUS_URL" in m["data"]]
    return manifest


FILES = ("STRIPE_OPERATIONS", "STRIPE_EVENTS")


def operations_map(manifests: list[Manifest]) -> Manifest:
    [manifest] = [m for m in manifests if m["kind"] == "ConfigMap" and "operations.toml" in m["data"]]
    return manifest


def pod(manifests: list[Manifest]) -> Manifest:
    spec: Manifest = one(manifests, "Deployment")["spec"]["template"]["spec"]
    return spec


def container(manifests: list[Manifest]) -> Manifest:
    [found] = [c for c in pod(manifests)["containers"] if c["name"] == CONTAINER]
    return dict(found)


def selects(selector: dict[str, str], manifests: list[Manifest]) -> bool:
    labels = one(manifests, "Deployment")["spec"]["template"]["metadata"]["labels"]
    return bool(selector) and selector.items() <= labels.items()


def test_every_container_is_restricted(manifests: list[Manifest]) -> None:
    """Every container passes the restricted pod security standard."""
    for each in pod(manifests)["containers"]:
        security = pod(manifests).get("securityContext", {}) | each["securityContext"]

        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] > 0
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}


def test_root_is_read_only_and_user_is_the_images(manifests: list[Manifest]) -> None:
    """The sidecar writes nowhere and runs as the image's user."""
    security = container(manifests)["securityContext"]
    mounts = container(manifests)["volumeMounts"]

    assert security["readOnlyRootFilesystem"] is True
    assert all(mount["readOnly"] for mount in mounts)
    assert f"USER {security['runAsUser']}:{security['runAsGroup']}\n" in (ROOT / "Dockerfile").read_text()


def test_no_service_account_token(manifests: list[Manifest]) -> None:
    """The pod has no token of the Kubernetes API, which it never calls."""
    assert pod(manifests)["automountServiceAccountToken"] is False


def probes(manifests: list[Manifest]) -> dict[str, str]:
    """Give the path by kind of probe."""
    return {
        name.removesuffix("Probe"): probe["httpGet"]["path"]
        for name, probe in container(manifests).items()
        if name.endswith("Probe")
    }


def test_start_and_life_ask_no_upstream(manifests: list[Manifest]) -> None:
    """The startup and liveness probes ask /healthz, on the sidecar's port (L5)."""
    [port] = container(manifests)["ports"]

    assert probes(manifests).items() >= {"startup": "/healthz", "liveness": "/healthz"}.items()
    assert port["containerPort"] == Settings.model_fields["sidecar_port"].default
    assert container(manifests)["livenessProbe"]["httpGet"]["port"] == port["name"]
    assert container(manifests)["startupProbe"]["httpGet"]["port"] == port["name"]


def test_standalone_is_ready_when_usable(standalone: list[Manifest]) -> None:
    """A standalone sidecar gets requests only while /readyz allows it (L5)."""
    assert probes(standalone)["readiness"] == "/readyz"


def test_sidecar_does_not_decide_whether_directus_is_ready() -> None:
    """As a second container the sidecar does not affect the readiness of the pod that it shares with Directus."""
    assert "readiness" not in probes(render("sidecar"))


def drain_seconds(settings: dict[str, str]) -> float:
    names = ("shutdown_delay", "shutdown_timeout")
    return sum(float(settings.get(name.upper(), Settings.model_fields[name].default)) for name in names)


def test_grace_exceeds_the_shutdown_budget(manifests: list[Manifest]) -> None:
    """The pod is killed only after both parts of the drain have had their time (L4)."""
    settings = settings_map(manifests)["data"]

    assert drain_seconds(settings) < pod(manifests)["terminationGracePeriodSeconds"]


def test_secrets_are_files(manifests: list[Manifest]) -> None:
    """No secret is in a variable or in a manifest; each is a file in a mounted Secret."""
    settings = settings_map(manifests)["data"]
    [mount] = [m for m in container(manifests)["volumeMounts"] if "secrets" in m["mountPath"]]
    [volume] = [v for v in pod(manifests)["volumes"] if v["name"] == mount["name"]]

    assert container(manifests)["envFrom"] == [{"configMapRef": {"name": settings_map(manifests)["metadata"]["name"]}}]
    assert "env" not in container(manifests)
    assert not {"STRIPE_LIVE_SECRET_KEY", "DIRECTUS_SERVICE_TOKEN"} & settings.keys()
    assert volume["secret"] == {"secretName": CONTAINER}
    assert Path(settings["STRIPE_LIVE_SECRET_KEY_FILE"]).parent == Path(mount["mountPath"])
    assert not [m for m in manifests if m["kind"] == "Secret"]


def test_settings_start_the_service(manifests: list[Manifest], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every setting in the ConfigMap exists, and with the secret in place the settings are usable."""
    secret = tmp_path / "key"
    secret.write_text("sk_test_made_up\n")
    given = settings_map(manifests)["data"]

    files = {name: tmp_path / Path(given[name]).name for name in FILES}
    for file in files.values():
        file.write_text(operations_map(manifests)["data"][file.name])
    for name, value in {**given, **{name: str(file) for name, file in files.items()}}.items():
        monkeypatch.setenv(name, str(secret) if name.endswith("_FILE") else value)

    assert {name.removesuffix("_FILE").lower() for name in given} <= Settings.model_fields.keys()
    assert load(Settings).sidecar_host == "0.0.0.0"  # noqa: S104 - probes come in by the pod's address


def test_operations_are_mounted(manifests: list[Manifest]) -> None:
    """The files of operations and events are a ConfigMap, mounted at the paths in the settings."""
    [volume] = [v for v in pod(manifests)["volumes"] if "configMap" in v]
    [mount] = [m for m in container(manifests)["volumeMounts"] if m["name"] == volume["name"]]
    named = [Path(settings_map(manifests)["data"][name]) for name in FILES]

    assert volume["configMap"]["name"] == operations_map(manifests)["metadata"]["name"]
    assert {Path(mount["mountPath"])} == {path.parent for path in named}
    assert {path.name for path in named} == operations_map(manifests)["data"].keys()


def test_image_is_this_version(manifests: list[Manifest]) -> None:
    """The manifests run the version that the project declares."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert version == __version__
    assert container(manifests)["image"] == f"directus-stripe-sidecar:{version}"


def test_the_way_in(manifests: list[Manifest]) -> None:
    """The ingress sends the prefix to the service, and the service selects the pods."""
    service = one(manifests, "Service")
    [rule] = one(manifests, "Ingress")["spec"]["rules"]
    [path] = rule["http"]["paths"]

    assert path["path"] == Settings.model_fields["sidecar_prefix"].default
    assert path["backend"]["service"]["name"] == service["metadata"]["name"]
    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["stripe"]
    assert selects(service["spec"]["selector"], manifests)


def test_limits_are_those_of_the_shipped_nginx(manifests: list[Manifest]) -> None:
    """F1: The ingress has the limits of the nginx template, as whole numbers in text, which annotations must be."""
    found = one(manifests, "Ingress")["metadata"]["annotations"]
    limits = {name.removeprefix("nginx.ingress.kubernetes.io/"): value for name, value in found.items()}
    template = (ROOT / "deploy/nginx/default.conf.template").read_text()
    [rate] = re.findall(r"zone=requests:\S+ rate=(\d+)r/s;", template)
    [burst] = re.findall(r"limit_req zone=requests burst=(\d+) nodelay;", template)
    [connections] = re.findall(r"limit_conn connections (\d+);", template)

    limits = {name: value for name, value in limits.items() if name.startswith("limit-")}
    assert limits.keys() == {"limit-rps", "limit-burst-multiplier", "limit-connections"}
    assert all(isinstance(value, str) and value.isdecimal() for value in limits.values())
    assert (limits["limit-rps"], limits["limit-connections"]) == (rate, connections)
    assert 0 <= int(rate) * int(limits["limit-burst-multiplier"]) - int(burst) < int(rate)


def test_a_caller_keeps_its_replica(manifests: list[Manifest]) -> None:
    """The ingress hashes all places of a token, and the signature of Stripe's events, in a form that it accepts."""
    key = one(manifests, "Ingress")["metadata"]["annotations"]["nginx.ingress.kubernetes.io/upstream-hash-by"]
    cookie = Settings.model_fields["session_cookie_name"].default

    assert re.fullmatch(r"[A-Za-z0-9\-_${}]*", key)  # internal/ingress/annotations/upstreamhashby of ingress-nginx
    assert key[1:].split("$") == [
        "http_authorization",
        "arg_access_token",
        f"cookie_{cookie}",
        "http_stripe_signature",
    ]


def test_sidecar_asks_directus_in_its_own_pod() -> None:
    """As a second container the sidecar reaches Directus on loopback, and Directus outlives its drain (L4)."""
    manifests = render("sidecar")
    [directus] = [c for c in pod(manifests)["containers"] if c["name"] == "directus"]

    assert settings_map(manifests)["data"]["DIRECTUS_URL"] == "http://127.0.0.1:8055"
    program, seconds = directus["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    assert drain_seconds({}) <= int(seconds) < pod(manifests)["terminationGracePeriodSeconds"]


def test_standalone_keeps_two_replicas(standalone: list[Manifest]) -> None:
    """At least two replicas run, and a drain of nodes removes one at a time."""
    scaler = one(standalone, "HorizontalPodAutoscaler")["spec"]
    budget = one(standalone, "PodDisruptionBudget")["spec"]

    assert scaler["minReplicas"] == 2
    assert scaler["scaleTargetRef"]["name"] == one(standalone, "Deployment")["metadata"]["name"]
    assert "replicas" not in one(standalone, "Deployment")["spec"]
    assert budget["maxUnavailable"] == 1
    assert selects(budget["selector"]["matchLabels"], standalone)


def most_at_once(manifests: list[Manifest]) -> int:
    """Give the most replicas that run, with those that a rollout adds: a quarter, rounded up, where nothing is said."""
    most = int(one(manifests, "HorizontalPodAutoscaler")["spec"]["maxReplicas"])
    rollout = one(manifests, "Deployment")["spec"]["strategy"]["rollingUpdate"]

    assert rollout == {"maxUnavailable": 0}
    return most + math.ceil(most / 4)


def test_replicas_share_what_stripe_allows(standalone: list[Manifest]) -> None:
    """F3: Each replica has the largest whole number of calls a second with which all stay within Stripe's limits."""
    settings, replicas = settings_map(standalone)["data"], most_at_once(standalone)

    assert int(settings["STRIPE_MAX_RPS"]) == ENDPOINT_LIMIT // replicas
    assert int(settings["STRIPE_ACCOUNT_RPS"]) == ACCOUNT_LIMIT // replicas


def test_one_pod_with_directus_has_the_whole() -> None:
    """F3: In the pod of Directus, of which there is one as shipped, the sidecar has the default rates."""
    manifests = render("sidecar")

    assert "replicas" not in one(manifests, "Deployment")["spec"]
    assert not [each for each in manifests if each["kind"] == "HorizontalPodAutoscaler"]
    assert not {"STRIPE_MAX_RPS", "STRIPE_ACCOUNT_RPS"} & settings_map(manifests)["data"].keys()


def test_standalone_network_is_closed(standalone: list[Manifest]) -> None:
    """Only the ingress controller may connect in; DNS, Directus and public addresses on 443 may be reached."""
    policy = one(standalone, "NetworkPolicy")["spec"]
    ports = [[port["port"] for port in rule["ports"]] for rule in policy["egress"]]

    assert selects(policy["podSelector"]["matchLabels"], standalone)
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert [list(peer) for rule in policy["ingress"] for peer in rule["from"]] == [["namespaceSelector", "podSelector"]]
    assert ports == [[53, 53], [8055], [443]]
