"""What well-known linters find in the manifests, the chart, the compose files and the workflows."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.demo.progress import Fault
from tests import programs
from tests.absent import left_out
from tests.doubles.cluster import render

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").iterdir())
ACCEPTED = {
    "CKV_K8S_15": "an image by its version or its digest is the same whenever it is pulled",
    "CKV_K8S_21": "the namespace is the operator's to choose",
    "CKV_K8S_29": "each container has its own security context, since Directus's pod may be somebody else's",
    "CKV_K8S_31": "each container has the profile itself; of a CronJob checkov reads the pod's alone",
    "CKV_K8S_43": "an image that is built from this checkout has no digest at a registry yet",
}


@pytest.fixture(scope="session")
def linters() -> Path:
    try:
        return programs.environment("linters.txt", "checkov, zizmor and check-jsonschema")
    except Fault as fault:
        left_out(f"The linters could not be had: {fault}")


def said(*command: str | Path) -> tuple[int, str]:
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)  # noqa: S603 - a linter
    return ended.returncode, ended.stdout + ended.stderr


def found(linters: Path, folder: Path) -> set[tuple[str, str]]:
    """Give what checkov finds in the manifests of a folder: its rule, and the object."""
    options = ["--framework", "kubernetes", "--quiet", "--compact", "--output", "json", "--skip-download"]
    ended = subprocess.run(  # noqa: S603 - a linter
        [linters / "checkov", "--directory", folder, *options], check=False, capture_output=True, text=True, timeout=300
    )
    results: dict[str, Any] = json.loads(ended.stdout)
    assert results["summary"]["passed"] > 50, ended.stderr
    return {(each["check_id"], each["resource"]) for each in results["results"]["failed_checks"]}


@pytest.mark.parametrize("overlay", ["standalone", "sidecar"])
def test_checkov_on_the_manifests(linters: Path, tmp_path: Path, overlay: str) -> None:
    """Each rule of checkov's is met or left aside for a reason; the Directus there is only an example."""
    (tmp_path / "work").mkdir()
    (tmp_path / "out").mkdir()
    manifests = render(tmp_path / "work", overlay, "reconcile", "monitoring", "flow", "redis")
    (tmp_path / "out/rendered.yaml").write_text(yaml.safe_dump_all(manifests))

    assert {
        (rule, name)
        for rule, name in found(linters, tmp_path / "out")
        if rule not in ACCEPTED and "directus" not in name
    } == set()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_fit_their_schema(linters: Path, path: Path) -> None:
    """Every workflow has the form that GitHub wants."""
    assert said(linters / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)[0] == 0


def test_workflows_are_safe(linters: Path) -> None:
    """zizmor finds nothing that a stranger could use in a workflow."""
    code, text = said(linters / "zizmor", "--offline", "--no-progress", *WORKFLOWS)

    assert code == 0, text


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_named_by_a_commit(path: Path) -> None:
    """Each action is a commit, which nobody can move, with its version beside it."""
    used = re.findall(r"uses: (.*)", path.read_text())

    assert used
    assert [each for each in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_compose_files_fit_their_schema(linters: Path) -> None:
    """Every compose file is one by the specification."""
    for path in (ROOT / "deploy").glob("compose*.yaml"):
        code, text = said(linters / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", path)

        assert code == 0, text


def test_a_release_is_of_the_version() -> None:
    """The workflow compares the tag with the one place where the version stands, and every check comes before."""
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
    steps = [step.get("run", "") for step in jobs["check"]["steps"]]

    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert [each for each in steps if "GITHUB_REF_NAME" in each and "pyproject.toml" in each]
    assert [each for each in steps if "./.ci/run" in each]
    assert [jobs[name]["needs"] for name in ("packages", "pypi", "images")] == ["check", "packages", "check"]
