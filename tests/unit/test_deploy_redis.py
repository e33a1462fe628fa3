"""The guarantees of the deployments whose replicas share a Redis: a component for Kubernetes, a file for Compose."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sidecar.clients.redis.names import PREFIX
from sidecar.settings import Settings, load
from tests.doubles.cluster import Manifest, Network, Peer, pod_templates, render

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BASE, OVER = (yaml.safe_load((DEPLOY / name).read_text()) for name in ("compose.yaml", "compose.redis.yaml"))
SERVICES: dict[str, dict[str, Any]] = OVER["services"]
REDIS = Peer({"app.kubernetes.io/name": "redis"})
COMPONENTS = ("redis", "reconcile")


@pytest.fixture(scope="module", params=["sidecar", "standalone"])
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    return render(tmp_path_factory.mktemp(request.param), request.param, *COMPONENTS)


@pytest.fixture(scope="module")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    return render(tmp_path_factory.mktemp("standalone"), "standalone", "redis")


def settings_of(manifests: list[Manifest]) -> dict[str, str]:
    [config] = [each for each in manifests if each["kind"] == "ConfigMap" and "DIRECTUS_URL" in each["data"]]
    return dict(config["data"])


def serving(manifests: list[Manifest]) -> Manifest:
    [pod] = [pod for pod in pod_templates(manifests) if pod["metadata"]["labels"].get("stripe-sidecar") == "true"]
    return pod


def loaded(given: dict[str, str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> Settings:
    """Load settings as the container does, with made-up secrets in the place of its files."""
    secrets = {"REDIS": "redis://sidecar:made-up@redis:6379"}
    for name, value in given.items():
        file = folder / name.removesuffix("_FILE")
        file.write_text(secrets.get(file.name, "sk_live_made_up_and_long_enough_for_a_secret"))
        monkeypatch.setenv(name, str(file) if name.endswith("_FILE") else value)
    for name in ("STRIPE_OPERATIONS", "STRIPE_EVENTS"):
        monkeypatch.setenv(name, "")
    assert {name.removesuffix("_FILE").lower() for name in given} <= Settings.model_fields.keys()
    return load(Settings)


def test_pods_share_the_whole_of_stripes_limits(
    manifests: list[Manifest], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the component the settings start the service, and the rates are the defaults, of all replicas together."""
    settings = loaded(settings_of(manifests), monkeypatch, tmp_path)

    assert settings.redis is not None
    assert settings.stripe_max_rps == Settings.model_fields["stripe_max_rps"].default
    assert settings.stripe_account_rps is None


def test_replicas_are_those_of_the_autoscaler(standalone: list[Manifest]) -> None:
    """While Redis cannot count the replicas, each takes there to be as many as the autoscaler may start."""
    [scaler] = [each for each in standalone if each["kind"] == "HorizontalPodAutoscaler"]

    assert settings_of(standalone)["SIDECAR_REPLICAS"] == str(scaler["spec"]["maxReplicas"])


def test_files_are_in_the_secret(manifests: list[Manifest]) -> None:
    """The address with its password and the secret of what is put there are files of the mounted Secret."""
    given = settings_of(manifests)
    [container] = [each for each in serving(manifests)["spec"]["containers"] if each["name"] == "stripe-sidecar"]
    [mount] = [each for each in container["volumeMounts"] if "secrets" in each["mountPath"]]

    assert not {"REDIS", "SIDECAR_SECRET"} & given.keys()
    for name in ("REDIS", "SIDECAR_SECRET"):
        assert given[f"{name}_FILE"] == f"{mount['mountPath']}/{name}"


def test_redis_alone_is_reached_besides(manifests: list[Manifest], tmp_path: Path) -> None:
    """D3: The component lets the serving pods reach Redis on its port and nothing else; without it they do not."""
    network, pod = Network.of(manifests), serving(manifests)
    without = Network.of(render(tmp_path, "standalone"))

    assert network.lets(pod, "egress", REDIS, 6379)
    assert not without.lets(serving(render(tmp_path, "standalone")), "egress", REDIS, 6379)
    for peer, port in ((REDIS, 6380), (Peer({"app": "shop"}), 6379), (Peer(address="10.244.1.7"), 6379)):
        assert not network.lets(pod, "egress", peer, port)
    assert not network.lets(pod, "ingress", REDIS, "stripe")


def environment(name: str) -> dict[str, str]:
    """Give what a service of Compose gets from both files, of which the second one wins."""
    return {**BASE["services"][name]["environment"], **SERVICES[name]["environment"]}


def options(command: list[str]) -> dict[str, str]:
    return dict(zip(command[1::2], command[2::2], strict=True))


def test_compose_settings_start_the_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every setting exists, the settings are usable, and each replica knows how many there may be."""
    settings = loaded(environment("sidecar"), monkeypatch, tmp_path)

    assert settings.redis is not None
    assert settings.sidecar_replicas == SERVICES["sidecar"]["deploy"]["replicas"]


def test_nginx_knows_each_replica_by_its_name() -> None:
    """nginx has a line for each container of the sidecar's: a caller would be at all of them behind one name."""
    line = BASE["services"]["nginx"]["environment"]["SIDECAR_SERVERS"]
    replicas = range(1, 1 + SERVICES["sidecar"]["deploy"]["replicas"])
    lines = [line.replace("sidecar", f"${{COMPOSE_PROJECT_NAME}}-sidecar-{number}") for number in replicas]

    assert environment("nginx")["SIDECAR_SERVERS"] == " ".join(lines)


@pytest.mark.parametrize("name", SERVICES)
def test_compose_secrets_are_files(name: str) -> None:
    """A service reads its secrets from files, gets only its own, and has none in a variable or in its command."""
    service = SERVICES[name]
    given = [*service.get("environment", {}).values(), *service.get("command", [])]
    read = {value.removeprefix("/run/secrets/") for value in given if value.startswith("/run/secrets/")}

    assert read == set(service.get("secrets", []))
    assert read <= OVER["secrets"].keys()
    assert not {"REDIS", "SIDECAR_SECRET"} & service.get("environment", {}).keys()


def test_redis_is_restricted() -> None:
    """The container of Redis has no capability, cannot gain one, is not root and writes nowhere."""
    redis = SERVICES["redis"]

    assert redis["cap_drop"] == ["ALL"]
    assert redis["security_opt"] == ["no-new-privileges:true"]
    assert redis["read_only"] is True
    assert int(redis["user"].partition(":")[0]) > 0


def test_only_sidecars_reach_redis() -> None:
    """Redis publishes no port and is in a network of its own without a way out, in which only the sidecars are too."""
    services = [*BASE["services"].items(), *SERVICES.items()]

    assert "ports" not in SERVICES["redis"]
    assert SERVICES["redis"]["networks"] == ["shared"]
    assert {name for name, service in services if "shared" in service.get("networks", ())} == {"redis", "sidecar"}
    assert "default" in SERVICES["sidecar"]["networks"]
    assert OVER["networks"] == {"shared": {"internal": True}}


def test_redis_keeps_nothing_and_has_a_bound() -> None:
    """Redis stores nothing on a disk, and when its memory is full the least used goes, so that writing never fails."""
    found = options(SERVICES["redis"]["command"])

    assert (found["--save"], found["--appendonly"]) == ("", "no")
    assert re.fullmatch(r"\d+mb", found["--maxmemory"])
    assert found["--maxmemory-policy"] == "allkeys-lru"


@pytest.mark.parametrize("document", ["README.md", "compose.redis.yaml"])
def test_the_user_may_do_what_is_done(document: str) -> None:
    """The user that a document makes may use the keys and commands that are used, and no others."""
    rules = re.findall(r"(?<=[\s'])(?:resetkeys|resetchannels|[~+-][^\s'\"]+)(?=[\s'\"]|$)", user_in(document))

    assert rules[:4] == ["resetkeys", f"~{PREFIX}*", "resetchannels", "-@all"]
    assert rules[4:] == sorted(f"+{command.lower()}" for command in used())


def user_in(document: str) -> str:
    """Give the lines of a document that say what the user may do."""
    lines = (DEPLOY / document).read_text().splitlines()
    return "\n".join(line for line in lines if "resetkeys" in line or line.startswith("#   rules="))


def used() -> set[str]:
    """Give the commands that scripts call or that are sent beside them; Redis checks both."""
    sources = "".join(path.read_text() for path in (ROOT / "sidecar/clients/redis").glob("*.py"))
    sent = set(re.findall(r"\(\"([A-Z]{3,})\"", sources))

    assert {"EVALSHA", "XREAD"} <= sent
    return sent | set(re.findall(r"redis\.p?call\('([A-Z]+)'", sources))
