"""What the benchmarks measure: the processor time of programs, and earlier revisions."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo import children
from deploy.demo.processes import Server
from deploy.demo.progress import Fault
from deploy.demo.watcher import signal_group
from tests.benchmarks.earlier import unpacked
from tests.benchmarks.speed import cpu

# A parent that does nothing, and its worker, which uses 0.1 s and then waits as the parent does.
_WORK = """
import os, sys, time
if os.fork() == 0:
    while time.process_time() < 0.1:
        pass
    print("used", flush=True)
time.sleep(600)
"""


@pytest.mark.process
def test_processor_time_of_workers(tmp_path: Path) -> None:
    """The processor time of a server's worker processes counts, and that of others does not."""
    popens = [children.popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for code in (_WORK, _WORK)]
    try:
        first, second = (Server("", tmp_path, popen) for popen in popens)
        for popen in popens:
            assert popen.stdout is not None
            popen.stdout.readline()

        one, both = cpu.used([first]), cpu.used([first, second])
    finally:
        for popen in popens:
            signal_group(popen.pid, signal.SIGKILL)
            popen.communicate()

    assert one >= 0.09  # of a tenth; the two ways of counting need not agree to the last digit
    assert both - one >= 0.09


def test_unknown_revision(tmp_path: Path) -> None:
    """A revision that does not exist ends the run with git's own words."""
    with pytest.raises(Fault, match="no-such-revision"):
        unpacked("no-such-revision", tmp_path)
