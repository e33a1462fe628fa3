"""Types for front ends: openapi-typescript generates them from the description, and they compile."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

from openapi_spec_validator import validate

from deploy.demo.install import NodeTools
from deploy.demo.progress import run
from sidecar.core.operations.table import OPERATIONS
from tests.documents.pages import SIDECAR, block_after
from tests.doubles.running_app import RunningApp

USES = Path(__file__).parent / "types.ts"


async def description(app: RunningApp) -> dict[str, Any]:
    answer = await app.call(None, "/stripe/openapi.json")
    assert answer.status == 200
    given: dict[str, Any] = json.loads(answer.body)
    return given


async def test_the_description_is_valid(app: RunningApp) -> None:
    """The description is OpenAPI 3.1 with each operation that is turned on, and is readable without a credential."""
    described = await description(app)

    validate(described)
    found = {operation["operationId"] for methods in described["paths"].values() for operation in methods.values()}
    assert found == {operation.name for operation in OPERATIONS}
    assert (app.directus.requests, app.stripe.asked) == ([], [])


async def test_types_compile(app: RunningApp, node_tools: NodeTools, tmp_path: Path) -> None:
    """The generated types compile strictly, and so does a front end's code with them."""
    (tmp_path / "openapi.json").write_text(json.dumps(await description(app)))
    shutil.copy(USES, tmp_path)
    node, modules = str(node_tools.node), node_tools.modules
    generate = [node, str(modules / "openapi-typescript/bin/cli.js"), "openapi.json", "--output", "api.d.ts"]
    compile_all = [node, str(modules / "typescript/bin/tsc"), "--noEmit", "--strict", "types.ts"]

    for command in (generate, compile_all):
        run(command, cwd=tmp_path, log=tmp_path / "log")


async def test_the_documents_call_compiles(app: RunningApp, node_tools: NodeTools, tmp_path: Path) -> None:
    """The command that sidecar/README.md gives makes the types which the call there compiles with."""
    (tmp_path / "openapi.json").write_text(json.dumps(await description(app)))
    (tmp_path / "node_modules").symlink_to(node_tools.modules)
    (tmp_path / "call.ts").write_text(
        f"{block_after(SIDECAR, 'typed-call')}\nexport const ids: unknown[] = customers.map((each) => each.id);\n"
    )
    address = r"https://\S+/openapi\.json"
    _npx, program, *arguments = shlex.split(re.sub(address, "openapi.json", block_after(SIDECAR, "types")))
    node, modules = str(node_tools.node), node_tools.modules
    compiled = [node, str(modules / "typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck"]
    modern = ["--module", "esnext", "--target", "es2022", "--moduleResolution", "bundler"]

    for command in ([node, str(modules / program / "bin/cli.js"), *arguments], [*compiled, *modern, "call.ts"]):
        run(command, cwd=tmp_path, log=tmp_path / "log")
