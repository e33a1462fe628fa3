"""`python -m tests.arrangements [N]`: compares rows and fields over N (500) random arrangements of policies.

The ordinary run tries a few of them; this is tests/integration/test_rows_property.py with more.
"""

import os
import subprocess
import sys
from pathlib import Path

from deploy.demo import prepare
from deploy.demo.progress import Fault, say

ROOT = Path(__file__).parents[1]
_MOST = 100_000


def main(arguments: list[str]) -> int:
    count = arguments[0] if arguments else "500"
    if len(arguments) > 1 or not count.isdecimal() or not 1 <= int(count) <= _MOST:
        say(f"Give the number of arrangements, from 1 to {_MOST}")
        return 2
    try:
        python = prepare.prepare({"--packages", "--servers"})
    except Fault as fault:
        say(str(fault))
        return 1
    command = [str(python), "-m", "pytest", "tests/integration/test_rows_property.py"]
    ended = subprocess.run(command, cwd=ROOT, env=os.environ | {"ARRANGEMENTS": count}, check=False)  # noqa: S603 - pytest
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
