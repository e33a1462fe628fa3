"""The guarantees of the compose file."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sidecar import __version__
from sidecar.commands.provision import ProvisionSettings
from sidecar.settings import DirectusSettings, Settings, load

DEPLOY = Path(__file__).parents[2] / "deploy"
FILE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
PROXY = SERVICES["nginx"]["networks"]["default"]["ipv4_address"]
MOUNTED = [volume.split(":") for volume in SERVICES["nginx"]["volumes"]]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_restricted(name: str) -> None:
    """No service has a capability or can gain one."""
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in SERVICES[name]


@pytest.mark.parametrize("name", ["nginx", "sidecar", "provision"])
def test_root_is_read_only(name: str) -> None:
    """A container that this project runs or configures writes only to a temporary file system."""
    assert SERVICES[name]["read_only"] is True


def test_only_nginx_is_published() -> None:
    """One port is open, on loopback, and it is nginx's."""
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert list(ports) == ["nginx"]
    assert all(port.startswith("127.0.0.1:") for port in ports["nginx"])


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_are_files(name: str) -> None:
    """A service reads its secrets from files, gets only its own, and has none in a variable."""
    given = SERVICES[name].get("environment", {})
    read = {value.removeprefix("/run/secrets/") for key, value in given.items() if key.endswith("_FILE")}

    assert read == set(SERVICES[name].get("secrets", []))
    assert read <= FILE["secrets"].keys()
    assert not [key for key in given if re.search(r"(KEY|TOKEN|SECRET|PASSWORD)$", key)]


@pytest.mark.parametrize(("name", "settings"), [("sidecar", Settings), ("provision", ProvisionSettings)])
def test_settings_start_the_service(
    name: str,
    settings: type[DirectusSettings],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Every setting exists, and with the secrets in place the settings are usable."""
    secret = tmp_path / "secret"
    secret.write_text("sk_test_made_up_and_long_enough_for_a_secret\n")
    given = {key: value for key, value in SERVICES[name]["environment"].items() if "ADMIN_TOKEN" not in key}

    mounted = [volume.split(":") for volume in SERVICES[name]["volumes"]]
    outside = {inside: str(DEPLOY / file) for file, inside, _ in mounted}
    files = {key: outside[given[key]] for key in ("STRIPE_OPERATIONS", "STRIPE_EVENTS")}
    monkeypatch.setenv("DIRECTUS_ADMIN_TOKEN", "made-up")
    for key, value in {**given, **files}.items():
        monkeypatch.setenv(key, str(secret) if key.endswith("_FILE") else value)

    assert {key.removesuffix("_FILE").lower() for key in given} <= settings.model_fields.keys()
    assert load(settings).directus_url == "http://directus:8055"


def test_only_provision_has_the_setup_image() -> None:
    """D1: The command that gets the administrator's token is built from the target `setup`, the service is not."""
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", (DEPLOY.parent / "Dockerfile").read_text(), re.MULTILINE))
    built = {name: service["build"]["target"] for name, service in SERVICES.items() if "build" in service}
    images = {name: SERVICES[name]["image"] for name in built}

    assert built == {"sidecar": "serving", "provision": "setup"}
    assert set(built.values()) <= stages
    assert images == {
        "sidecar": f"directus-stripe-sidecar:{__version__}",
        "provision": f"directus-stripe-sidecar-setup:{__version__}",
    }
    assert "stripe_live_secret_key" not in SERVICES["provision"]["secrets"]


def test_nginx_alone_is_believed() -> None:
    """The sidecar trusts the address given to nginx, and no other container can get that address."""
    [network] = FILE["networks"]["default"]["ipam"]["config"]

    assert SERVICES["sidecar"]["environment"]["TRUSTED_PROXIES"] == PROXY
    assert SERVICES["directus"]["environment"]["IP_TRUST_PROXY"] == network["subnet"]
    assert network == {"subnet": "172.28.80.0/24", "ip_range": "172.28.80.128/25"}
    assert PROXY == "172.28.80.2"


def test_nginx_knows_every_variable_of_its_template() -> None:
    """The shared nginx template is mounted where the image looks for it, and each of its variables is set."""
    mounted = {target: source for source, target, _ in MOUNTED}
    template = DEPLOY / mounted["/etc/nginx/templates/default.conf.template"]
    names = set(re.findall(r"\$\{([A-Z_]+)\}", template.read_text()))

    assert {mode for _, _, mode in MOUNTED} == {"ro"}
    assert names == SERVICES["nginx"]["environment"].keys()


def test_one_client_does_not_take_all_connections() -> None:
    """A request takes two of a process's connections, and two clients at their limit leave most of them free."""
    mounted = {target: source for source, target, _ in MOUNTED}
    template = (DEPLOY / mounted["/etc/nginx/templates/default.conf.template"]).read_text()
    [most] = re.findall(r"limit_conn connections (\d+);", template)
    [connections] = re.findall(r"worker_connections (\d+);", (DEPLOY / mounted["/etc/nginx/nginx.conf"]).read_text())

    assert 2 * 2 * int(most) < int(connections)


def test_sidecar_may_drain() -> None:
    """Docker waits longer than the drain takes before it kills the container (L4)."""
    grace = float(SERVICES["sidecar"]["stop_grace_period"].removesuffix("s"))

    assert grace > sum(Settings.model_fields[name].default for name in ("shutdown_delay", "shutdown_timeout"))
