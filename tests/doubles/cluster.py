"""Rendered manifests, and what a cluster's network would do with them.

Policies add up, and a pod that none selects is open (kubernetes.io/docs/concepts/services-networking/network-policies).
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

Manifest = dict[str, Any]
_KUBERNETES = Path(__file__).parents[2] / "deploy/kubernetes"
_NAMESPACE = "kubernetes.io/metadata.name"


def render(folder: Path, overlay: str, *components: str, own: Manifest | None = None) -> list[Manifest]:
    """Render a project's own overlay in an empty `folder`, which adds components and an own manifest to one of ours."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("kubectl, which renders the overlays, is not installed")
    ours = [os.path.relpath(_KUBERNETES / name, folder.resolve()) for name in (overlay, *components)]
    (folder / "own.yaml").write_text(yaml.safe_dump(own or {"kind": "List", "apiVersion": "v1", "items": []}))
    kustomization = {"resources": [*ours[:1], "own.yaml"], "components": ours[1:]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    rendered = subprocess.run([kubectl, "kustomize", str(folder.resolve())], check=True, capture_output=True)  # noqa: S603 - our own overlay
    return list(yaml.safe_load_all(rendered.stdout))


def pod_templates(manifests: Sequence[Manifest]) -> Iterator[Manifest]:
    """Give the template of each pod that the manifests start, of whatever kind."""
    for manifest in manifests:
        spec = manifest.get("spec") or {}
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield spec["template"]


@dataclass(frozen=True, slots=True)
class Peer:
    """A pod by its labels and namespace, or an `address`."""

    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: str = "default"
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Network:
    policies: Sequence[Manifest]

    @classmethod
    def of(cls, manifests: Sequence[Manifest]) -> "Network":
        return cls([manifest["spec"] for manifest in manifests if manifest["kind"] == "NetworkPolicy"])

    def lets(
        self,
        pod: Manifest,
        direction: Literal["ingress", "egress"],
        peer: Peer,
        port: int | str,
        protocol: str = "TCP",
    ) -> bool:
        """`pod` is a template, whose ports may be named."""
        labels = pod["metadata"]["labels"]
        ours = [
            policy
            for policy in self.policies
            if policy["podSelector"]["matchLabels"].items() <= labels.items()
            and direction.capitalize() in policy["policyTypes"]
        ]
        rules = [rule for policy in ours for rule in policy.get(direction, [])]
        side = "from" if direction == "ingress" else "to"
        return not ours or any(
            _is_among(rule.get("ports"), port, protocol) and _named(rule.get(side), peer) for rule in rules
        )


def _is_among(ports: Sequence[Manifest] | None, port: int | str, protocol: str) -> bool:
    return ports is None or any((each.get("port"), each.get("protocol", "TCP")) == (port, protocol) for each in ports)


def _named(selectors: Sequence[Manifest] | None, peer: Peer) -> bool:
    """A rule without peers is for everybody."""
    return not selectors or any(_matches(selector, peer) for selector in selectors)


def _matches(selector: Manifest, peer: Peer) -> bool:
    if "ipBlock" in selector:
        return peer.address is not None and _within(selector["ipBlock"], peer.address)
    if peer.address is not None:
        return False
    namespace = selector.get("namespaceSelector", {"matchLabels": {_NAMESPACE: "default"}}).get("matchLabels", {})
    labels = selector.get("podSelector", {}).get("matchLabels", {})
    return bool(namespace.items() <= {_NAMESPACE: peer.namespace}.items() and labels.items() <= peer.labels.items())


def _within(block: Manifest, address: str) -> bool:
    inside = ip_address(address)
    return inside in ip_network(block["cidr"]) and not any(
        inside in ip_network(each) for each in block.get("except", [])
    )
