"""Reads `.env` of the working directory, in the form that a shell, Docker and Compose read too.

python-dotenv's parser is used without its variables: a `$` in a value is a `$`, as in Docker and in single quotes, so
that no part of a password is taken for a name.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import Binding, parse_stream

NAME = ".env"


@dataclass(frozen=True, slots=True)
class EnvFile:
    """`values` by name, and a fault for each line that cannot be read, which shows nothing of the line."""

    values: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def read_env_file(path: Path) -> EnvFile:
    """Read the file, which need not be there."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return EnvFile()
    except UnicodeDecodeError:
        return EnvFile(faults=(f"{NAME}: is not UTF-8; save it in that encoding",))
    except IsADirectoryError:
        return EnvFile(faults=(f"{NAME}: is a folder; Docker makes one where the file that it mounts is not there",))
    except OSError as error:
        return EnvFile(faults=(f"{NAME}: cannot be read ({type(error).__name__})",))
    bindings = list(parse_stream(io.StringIO(text)))
    return EnvFile({each.key: each.value or "" for each in bindings if each.key is not None}, tuple(_faults(bindings)))


def _faults(bindings: list[Binding]) -> Iterator[str]:
    lines: dict[str, int] = {}
    for binding in bindings:
        line, name = _line(binding), binding.key
        if binding.error or (name is not None and binding.value is None):
            yield (
                f"{NAME}, line {line}: must be NAME=value, with a quote at both ends of the value or at none, or a "
                "comment that begins with #"
            )
        elif name is not None and name in lines:
            yield f"{NAME}, line {line}: sets what line {lines[name]} sets; remove one of them"
        elif name is not None:
            lines[name] = line


def _line(binding: Binding) -> int:
    """Give the line of the text itself: the parser counts from the empty lines before it."""
    text = binding.original.string
    return binding.original.line + len((text[: len(text) - len(text.lstrip())] + ".").splitlines()) - 1
