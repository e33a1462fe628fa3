"""Asks whoever sits at the terminal before a command changes anything."""

import sys


def has_terminal() -> bool:
    """Whether somebody can read a plan and answer; not where either is redirected."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def confirms(question: str) -> bool:
    """Ask on the terminal. Only a yes is one; the end of the input is not."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        print()
        return False
