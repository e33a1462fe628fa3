"""The package `sidecar` of an earlier revision, to be measured in the same run."""

import io
import subprocess
import tarfile
from pathlib import Path

from deploy.demo.progress import Fault
from deploy.demo.servers import ROOT


def unpacked(revision: str, folder: Path) -> Path:
    """Unpack the revision's package into `folder`, which PYTHONPATH may name. Raises Fault for an unknown one."""
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", revision, "sidecar"]
    packed = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - the developer names the revision
    if packed.returncode:
        raise Fault(packed.stderr.decode())
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder
