"""The command that names images by their digests, between stubs of the programs that ask registries."""

import asyncio
import hashlib
import json
import re
import shutil
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from deploy import images
from tests.doubles.server import Double

ROOT = Path(__file__).parents[2]
TAGS = {
    "python:3.13-slim-trixie",
    "nginxinc/nginx-unprivileged:1.28-alpine",
    "directus/directus:11.17.4",
    "redis:7.4-alpine",
}
INDEX = "application/vnd.oci.image.index.v1+json"
Stub = Callable[[str, bytes, int], Path]


def manifest(tag: str) -> bytes:
    """An index as a registry keeps it: other bytes for each tag, and none of them rewritten by a program."""
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"of": tag}}).encode()


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of the project that name images."""
    root = tmp_path / "checkout"
    for path in [ROOT / "Dockerfile", *(ROOT / "deploy").rglob("*.yaml")]:
        copy = root / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return root


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    """`stub("skopeo", answer, code)`: nothing else is on the path; gives the file with a line for each call."""
    programs, calls = tmp_path / "bin", tmp_path / "calls"
    programs.mkdir()
    calls.touch()
    monkeypatch.setenv("PATH", str(programs))

    def made(name: str, answer: bytes, code: int) -> Path:
        (tmp_path / "answer").write_bytes(answer)
        script = (
            f'#!/bin/sh\necho "$*" >> {calls}\n/bin/cat {tmp_path}/answer\necho "no such thing." >&2\nexit {code}\n'
        )
        (programs / name).write_text(script)
        (programs / name).chmod(stat.S_IRWXU)
        return calls

    return made


def texts(root: Path) -> dict[Path, str]:
    return {path: path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


def every_image(manifest: object) -> list[str]:
    """Give each value under the key `image`, at any depth."""
    match manifest:
        case dict():
            own = [value for key, value in manifest.items() if key == "image" and isinstance(value, str)]
            return own + [each for value in manifest.values() for each in every_image(value)]
        case list():
            return [each for value in manifest for each in every_image(value)]
        case _:
            return []


def test_every_image_is_known() -> None:
    """D4: The command sees each image that a file of the project names, and of ours none."""
    # What Helm makes of its templates names the image of `values.yaml`, which is ours.
    files = [path for path in sorted((ROOT / "deploy").rglob("*.yaml")) if path.parent.name != "templates"]
    named = {name for path in files for each in yaml.safe_load_all(path.read_text()) for name in every_image(each)}
    others = {name.partition("@")[0] for name in named if not name.startswith("directus-stripe-sidecar")}

    assert {image.tagged for image in images.images(ROOT)} == others | {"python:3.13-slim-trixie"} == TAGS


def test_what_is_not_pinned_is_said(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """D4: Without an argument the command names each image that has only a tag, with its file, and exits with 1."""
    before = texts(checkout)

    assert images.main([], checkout) == 1

    lines = capsys.readouterr().out.splitlines()
    assert {line.rpartition(" ")[2] for line in lines if line.startswith("not pinned")} == TAGS
    assert texts(checkout) == before


@pytest.mark.parametrize(
    ("program", "asked"),
    [("skopeo", "inspect --raw docker://{}"), ("docker", "buildx imagetools inspect --raw {}")],
)
def test_each_image_is_pinned(
    checkout: Path, stub: Stub, capsys: pytest.CaptureFixture[str], program: str, asked: str
) -> None:
    """D4: `--pin` asks once for each tag, writes the digest behind it, and changes nothing else."""
    before = texts(checkout)
    calls = stub(program, manifest("any"), 0)

    assert images.main(["--pin"], checkout) == 0

    pinned = f"@{digest(manifest('any'))}"
    assert sorted(calls.read_text().splitlines()) == sorted(asked.format(tag) for tag in TAGS)
    assert {image.digest for image in images.images(checkout)} == {digest(manifest("any"))}
    assert {path: text.replace(pinned, "") for path, text in texts(checkout).items()} == before
    assert "\nARG PYTHON_IMAGE=python:3.13-slim-trixie" + pinned in (checkout / "Dockerfile").read_text()
    assert images.main([], checkout) == 0
    assert "not pinned" not in capsys.readouterr().out


def test_a_digest_is_renewed(checkout: Path, stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    """D4: A later run asks for the tag again, not for the digest, and says what changed."""
    stub("skopeo", manifest("old"), 0)
    images.main(["--pin"], checkout)
    calls = stub("skopeo", manifest("new"), 0)
    calls.write_text("")

    assert images.main(["--pin"], checkout) == 0

    assert "sha256" not in calls.read_text()
    assert {image.digest for image in images.images(checkout)} == {digest(manifest("new"))}
    assert capsys.readouterr().out.count("changed") == 2 * len(images.images(checkout))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (manifest("any"), 1),
        (b"", 0),
        (b"<html>Sign in</html>", 0),
        (b'"sha256"', 0),
        (b'{"schemaVersion": 1}', 0),
        (b'{"errors": []}', 0),
    ],
)
def test_a_bad_answer_changes_nothing(
    checkout: Path, stub: Stub, capsys: pytest.CaptureFixture[str], answer: bytes, code: int
) -> None:
    """D4: Where one answer is missing or is no manifest, no file is changed and the image is named."""
    before = texts(checkout)
    stub("skopeo", answer, code)

    assert images.main(["--pin"], checkout) == 1

    assert texts(checkout) == before
    said = capsys.readouterr().err
    assert "directus/directus:11.17.4" in said
    assert "Nothing was changed." in said


def test_no_program_to_ask_with(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine without skopeo and docker gets a line that says so."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert images.main(["--pin"], checkout) == 1

    assert "skopeo nor docker" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["pin"], ["--pin", "x"], ["-h"]])
def test_wrong_arguments(checkout: Path, arguments: Sequence[str]) -> None:
    """What it does not know it refuses with 2."""
    assert images.main(list(arguments), checkout) == 2


class Registry(Double):
    """Answers for every repository and tag with an index (github.com/opencontainers/distribution-spec, "Pull")."""

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [web.get("/v2/", self._version), web.get("/v2/{name:.+}/manifests/{tag}", self._manifest)]

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({})

    async def _manifest(self, request: web.Request) -> web.Response:
        content = manifest(f"{request.match_info['name']}:{request.match_info['tag']}")
        headers = {"Content-Type": INDEX, "Docker-Content-Digest": digest(content)}
        return web.Response(body=content, headers=headers)


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
async def test_the_real_skopeo(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """D4: The real program gives the digest under which a registry has the index of all platforms."""
    registry = Registry()
    await registry.listen()
    place = f"127.0.0.1:{registry.port}"
    settings = tmp_path / ".config/containers/registries.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'[[registry]]\nlocation = "{place}"\ninsecure = true\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for path, text in texts(checkout).items():
        path.write_text(re.sub(r"(ARG PYTHON_IMAGE=|image: )(?!directus-stripe)", rf"\g<1>{place}/", text))

    code = await asyncio.to_thread(images.main, ["--pin"], checkout)
    await registry.close()

    found = images.images(checkout)
    assert code == 0
    assert {image.tagged for image in found} == {f"{place}/{tag}" for tag in TAGS}
    assert [image.digest for image in found] == [digest(manifest(image.tagged.partition("/")[2])) for image in found]
