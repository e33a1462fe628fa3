"""Who may reach the pods, whom they may reach, and what a cluster puts into them, for every rendered pod."""

import re
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path

import pytest

from sidecar.settings import Settings
from tests.doubles.cluster import Manifest, Network, Peer, pod_templates, render

ROOT = Path(__file__).parents[2]
WHOLE = ("reconcile", "monitoring", "flow", "redis", "tracing")
CONTROLLER = Peer({"app.kubernetes.io/name": "ingress-nginx"}, "ingress-nginx")
PROMETHEUS = Peer({"app.kubernetes.io/name": "prometheus"}, "monitoring")
DIRECTUS = Peer({"app.kubernetes.io/name": "directus"})
RECONCILE = Peer({"app.kubernetes.io/name": "stripe-sidecar-reconcile"})
DNS = Peer({"k8s-app": "kube-dns"}, "kube-system")
COLLECTOR = Peer({"app.kubernetes.io/name": "opentelemetry-collector"})
DATABASE = Peer({"app.kubernetes.io/name": "postgresql"})
STRANGERS = (
    Peer({"app": "shop"}),
    Peer({"app.kubernetes.io/name": "ingress-nginx"}),
    Peer({"app.kubernetes.io/name": "prometheus"}),
    Peer({"app.kubernetes.io/name": "directus"}, "another"),
    Peer(namespace="ingress-nginx"),
    Peer(address="10.244.1.7"),
    Peer(address="203.0.113.9"),
)
INTERNAL = (
    "10.96.0.1",
    "10.244.1.7",
    "100.100.100.200",
    "127.0.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.20.0.1",
    "192.0.0.192",
    "192.168.1.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "fd00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
    "2002:a9fe:a9fe::1",
)


@pytest.fixture(scope="module", params=["sidecar", "standalone"])
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def manifests(overlay: str, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """Everything that an overlay can have."""
    return render(tmp_path_factory.mktemp(overlay), overlay, *WHOLE)


@pytest.fixture(scope="module")
def shipped(overlay: str, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """An overlay as it is, where the operator named nobody."""
    return render(tmp_path_factory.mktemp(overlay), overlay)


def serving(manifests: Sequence[Manifest]) -> Manifest:
    [pod] = [pod for pod in pod_templates(manifests) if pod["metadata"]["labels"].get("stripe-sidecar") == "true"]
    return pod


def test_a_cluster_puts_nothing_into_a_pod(manifests: list[Manifest]) -> None:
    """D3: No pod gets variables of the cluster's Services, nor a token of its API."""
    pods = list(pod_templates(manifests))

    assert len(pods) == 2
    for pod in pods:
        assert pod["spec"]["enableServiceLinks"] is False
        assert pod["spec"]["automountServiceAccountToken"] is False


def test_one_setting_alone_can_be_a_service_s() -> None:
    """Of all settings only SIDECAR_PORT has a name that a cluster gives to a variable about a Service."""
    given = re.compile(r"_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$")

    assert [name for name in map(str.upper, Settings.model_fields) if given.search(name)] == ["SIDECAR_PORT"]


def test_a_directus_of_ones_own_gets_nothing_either(tmp_path: Path) -> None:
    """D3: What the container needs of its pod comes with it, so that an own deployment need not say it."""
    labels = {"app": "cms"}
    container = {"name": "directus", "image": "cms"}
    own = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "cms", "labels": {"stripe-sidecar": "true"}},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }

    [pod] = pod_templates(render(tmp_path, "base", "container", own=own))

    assert {each["name"] for each in pod["spec"]["containers"]} == {"directus", "stripe-sidecar"}
    assert pod["spec"]["enableServiceLinks"] is False
    assert pod["spec"]["automountServiceAccountToken"] is False


def test_every_pod_is_restricted(manifests: list[Manifest]) -> None:
    """Every container of every pod, jobs included, passes the restricted pod security standard."""
    for pod in pod_templates(manifests):
        for container in pod["spec"]["containers"]:
            security = pod["spec"].get("securityContext", {}) | container["securityContext"]
            assert security["runAsNonRoot"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}


def test_every_pod_has_a_policy_for_both_directions(shipped: list[Manifest], manifests: list[Manifest]) -> None:
    """D3: Nothing is open in either direction, in either overlay, for the job too."""
    for found in (shipped, manifests):
        network = Network.of(found)
        for pod in pod_templates(found):
            assert not network.lets(pod, "ingress", Peer({"app": "shop"}), "any")
            assert not network.lets(pod, "egress", Peer({"app": "shop"}), 443)


def test_only_the_controller_gets_in(shipped: list[Manifest]) -> None:
    """D3: Of all pods and addresses the ingress controller alone reaches the sidecar, while nobody else is named."""
    network, pod = Network.of(shipped), serving(shipped)

    assert network.lets(pod, "ingress", CONTROLLER, "stripe")
    for peer in (*STRANGERS, PROMETHEUS, DIRECTUS, RECONCILE):
        assert not network.lets(pod, "ingress", peer, "stripe"), peer


def test_who_is_named_gets_in(manifests: list[Manifest]) -> None:
    """D3: With their components Prometheus and the pods of Directus get in, and still nobody else."""
    network, pod = Network.of(manifests), serving(manifests)

    for peer in (CONTROLLER, PROMETHEUS, DIRECTUS):
        assert network.lets(pod, "ingress", peer, "stripe"), peer
    for peer in STRANGERS:
        assert not network.lets(pod, "ingress", peer, "stripe"), peer


def test_directus_is_reached_by_its_own(tmp_path: Path) -> None:
    """D3: In the pod that the two share, Directus is reached by the controller and `reconcile` alone."""
    manifests = render(tmp_path, "sidecar", *WHOLE)
    network, pod = Network.of(manifests), serving(manifests)

    for peer in (CONTROLLER, RECONCILE):
        assert network.lets(pod, "ingress", peer, 8055), peer
    for peer in (*STRANGERS, PROMETHEUS):
        assert not network.lets(pod, "ingress", peer, 8055), peer
    assert network.lets(pod, "egress", DATABASE, 5432)
    assert not network.lets(pod, "egress", DATABASE, 443)


def test_the_collector_of_traces_is_reached(overlay: str, manifests: list[Manifest], tmp_path: Path) -> None:
    """D3: With its component the collector is reached on the port of OTLP over HTTP alone."""
    without = render(tmp_path, overlay)

    assert Network.of(manifests).lets(serving(manifests), "egress", COLLECTOR, 4318)
    assert not Network.of(manifests).lets(serving(manifests), "egress", COLLECTOR, 4317)
    if overlay == "standalone":
        assert not Network.of(without).lets(serving(without), "egress", COLLECTOR, 4318)


@pytest.mark.parametrize("address", ["52.1.2.3", "2600:1f18::1", "64:ff9b::3401:203"])
def test_stripe_is_reached(manifests: list[Manifest], address: str) -> None:
    """D3: Public addresses are reached on 443 alone, over IPv4, IPv6 and NAT64."""
    network = Network.of(manifests)

    for pod in pod_templates(manifests):
        assert network.lets(pod, "egress", Peer(address=address), 443)
        for port, protocol in ((80, "TCP"), (443, "UDP"), (53, "UDP"), (5432, "TCP")):
            assert not network.lets(pod, "egress", Peer(address=address), port, protocol)


@pytest.mark.parametrize("address", [*INTERNAL, *(f"64:ff9b::{each}" for each in INTERNAL if ":" not in each)])
def test_nothing_internal_is_reached(manifests: list[Manifest], address: str) -> None:
    """D3: No private address, loopback, multicast or cloud's metadata service is reached, not behind NAT64 either."""
    network = Network.of(manifests)

    for pod in pod_templates(manifests):
        for port in (80, 443, 8055):
            assert not network.lets(pod, "egress", Peer(address=address), port)


def test_names_and_directus_are_reached(manifests: list[Manifest], overlay: str) -> None:
    """D3: DNS is reached on 53, and Directus on 8055 where it is another pod."""
    network = Network.of(manifests)

    for pod in pod_templates(manifests):
        assert network.lets(pod, "egress", DNS, 53, "UDP")
        assert network.lets(pod, "egress", DNS, 53, "TCP")
        same_pod = overlay == "sidecar" and pod == serving(manifests)
        assert network.lets(pod, "egress", DIRECTUS, 8055) is not same_pod
        assert not network.lets(pod, "egress", DIRECTUS, 443)


def test_exceptions_are_within_their_block(manifests: list[Manifest]) -> None:
    """A block's exceptions must be strictly within it, or the cluster refuses the policy."""
    for policy in Network.of(manifests).policies:
        for rule in policy.get("egress", []):
            for block in (to["ipBlock"] for to in rule["to"] if "ipBlock" in to):
                for each in map(ip_network, block.get("except", [])):
                    assert each != ip_network(block["cidr"])
                    assert each.subnet_of(ip_network(block["cidr"]))  # type: ignore[arg-type]  # of one version


def test_the_ingress_writes_no_line(shipped: list[Manifest]) -> None:
    """S2: The controller logs none of these requests, whose query may be a token, and needs no snippet for that."""
    [ingress] = [each for each in shipped if each["kind"] == "Ingress"]
    annotations = ingress["metadata"]["annotations"]

    assert annotations["nginx.ingress.kubernetes.io/enable-access-log"] == "false"
    assert not [name for name in annotations if "snippet" in name]


def test_no_example_believes_a_network_of_pods() -> None:
    """D3: No file that is shipped names more than a handful of addresses as trusted proxies."""
    given = re.compile(r"^\W*(?:name: )?TRUSTED_PROXIES[=:][ \"]*([0-9a-f.:/, ]+)", re.MULTILINE)
    files = [ROOT / "README.md", ROOT / "sidecar/README.md", ROOT / ".env.example", *(ROOT / "deploy").rglob("*")]
    texts = [
        path.read_text() for path in files if path.suffix in {".md", ".env", ".yaml", ".py", ".example", ".template"}
    ]
    networks = [each for text in texts for value in given.findall(text) for each in re.split(r"[, ]+", value.strip())]

    assert networks
    assert all(ip_network(each).num_addresses <= 16 for each in networks)
