"""`python3 -m deploy.images`: which images of others are not named by their digest; with --pin it names each so.

A tag can be moved to another image, a digest cannot. `--pin` asks the registry, through skopeo or Docker's buildx with
the logins that they have, what each tag is now, and writes `name:tag@sha256:…` into the files; run it again to renew.
It asks about all images before it writes any. The digest is that of all platforms together. Images that are built from
this checkout have no tag at a registry of ours: name yours by the digest that your push prints.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.progress import Fault

ROOT = Path(__file__).parents[1]
_FILES = ("Dockerfile", "deploy/**/*.yaml")
_OURS = "directus-stripe-sidecar"
_REFERENCE = r"(?P<name>[a-z0-9][\w./:-]*?)(?P<tag>:[\w.-]+)?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
_LINE = re.compile(rf"^(?P<before>ARG \w+_IMAGE=|FROM |[ -]*image: +)[\"']?{_REFERENCE}[\"']?(?=\s|$)", re.MULTILINE)
_STAGE = re.compile(r"^FROM .+ AS (\S+)$", re.MULTILINE)
_ASKING = {  # each prints a tag's manifest byte for byte: the digest is that of these bytes, on every platform the same
    "skopeo": ("inspect", "--raw", "docker://{}"),
    "docker": ("buildx", "imagetools", "inspect", "--raw", "{}"),
}
_PATIENCE = 120.0  # seconds for one answer


@dataclass(frozen=True, slots=True)
class Image:
    """An image that a file names. `tagged` is its name with its tag, without a digest."""

    path: Path
    tagged: str
    digest: str | None


def images(root: Path) -> list[Image]:
    """Give every image of others that a file below `root` names, in the files' order."""
    return [
        Image(path, _tagged(match), match["digest"])
        for path in _files(root)
        for match in _named(path.read_text(encoding="utf-8"))
    ]


def pin(root: Path) -> list[str]:
    """Name each image by the digest that its tag has now, and give a line for each.

    Raises Fault, and changes nothing then.
    """
    found = images(root)
    digests = {tagged: _ask(tagged) for tagged in sorted({image.tagged for image in found})}
    for path in sorted({image.path for image in found}):
        text = path.read_text(encoding="utf-8")
        for match in reversed(list(_named(text))):
            pinned = f"{match['before']}{_tagged(match)}@{digests[_tagged(match)]}"
            text = text[: match.start()] + pinned + text[match.end() :]
        path.write_text(text, encoding="utf-8")
    return [_told(image, root, digests[image.tagged]) for image in found]


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Give the exit code: 0 if every image is named by its digest, 1 if not, 2 for wrong arguments."""
    if arguments not in ([], ["--pin"]):
        print("usage: python3 -m deploy.images [--pin]", file=sys.stderr)
        return 2
    try:
        lines = pin(root) if arguments else [_told(image, root, image.digest) for image in images(root)]
    except Fault as fault:
        print(fault, file=sys.stderr)
        return 1
    print(*lines, sep="\n")
    return 0 if all(image.digest for image in images(root)) else 1


def _files(root: Path) -> Iterator[Path]:
    for pattern in _FILES:
        yield from sorted(root.glob(pattern))


def _named(text: str) -> Iterator[re.Match[str]]:
    """Find the images of others; a Dockerfile also names stages of its own."""
    stages = set(_STAGE.findall(text))
    for match in _LINE.finditer(text):
        if match["name"] not in stages and not match["name"].rpartition("/")[2].startswith(_OURS):
            yield match


def _tagged(match: re.Match[str]) -> str:
    return match["name"] + (match["tag"] or ":latest")


def _told(image: Image, root: Path, digest: str | None) -> str:
    place = f"{image.path.relative_to(root)}: {image.tagged}"
    if digest is None:
        return f"not pinned  {place}"
    return f"{'pinned' if digest == image.digest else 'changed':<10}  {place}@{digest}"


def _ask(tagged: str) -> str:
    """Give the digest of what the registry has for a tag now. Raises Fault."""
    program = next((name for name in _ASKING if shutil.which(name)), None)
    if program is None:
        raise Fault("Neither skopeo nor docker is installed; one has to ask the registry. Nothing was changed.")
    command = [program, *(part.format(tagged) for part in _ASKING[program])]
    try:
        ended = subprocess.run(command, capture_output=True, check=False, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        raise Fault(f"{program} got no answer about {tagged} in time. Nothing was changed.") from None
    if ended.returncode or not _is_manifest(ended.stdout):
        said = ended.stderr.decode(errors="replace").strip().splitlines() or ["its answer is no manifest"]
        raise Fault(f"{program} did not tell what {tagged} is: {said[-1]}\nNothing was changed.")
    return f"sha256:{hashlib.sha256(ended.stdout).hexdigest()}"


def _is_manifest(answer: bytes) -> bool:
    """Nothing else may pass: an error page has a digest too."""
    try:
        return bool(json.loads(answer)["schemaVersion"] == 2)  # noqa: PLR2004 - the version that all tools write
    except (ValueError, KeyError, TypeError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
