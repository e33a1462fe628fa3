"""Runs this folder's programs, each in a process of its own, and asks the upstream for figures."""

import asyncio
import json
import sys
from typing import Any

import aiohttp

from deploy.demo.servers import ROOT

Figures = dict[str, Any]


async def program(module: str, *arguments: str) -> Figures:
    """Run one of this folder's programs to its end, and give the figures that it prints."""
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{module} ended with {process.returncode}")
    figures: Figures = json.loads(output)
    return figures


async def get(url: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.read()
