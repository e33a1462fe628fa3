"""The possible changes of a module: mutmut's mutants, each with its place and its change."""

import ast
import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mutmut.mutation.file_mutation import mutate_file_contents

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_MANGLED = re.compile(r"x(?:ǁ(?P<owner>\w+?)ǁ|_)(?P<function>\w+?)__mutmut_(?:orig|\d+)")


@dataclass(frozen=True, slots=True)
class Change:
    """A mutant's change: the lines of one function, before and after."""

    path: str
    function: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """`name` is mutmut's, and differs after any change of the function, so only `change` identifies a mutant for long.

    `wording`: the change is only in the words of a text, which no test should fix.
    """

    name: str
    change: Change
    line: int
    wording: bool

    @property
    def package(self) -> str:
        """Give core/access for sidecar/core/access/policy.py, and core/views for sidecar/core/views.py."""
        return "/".join(Path(self.change.path).with_suffix("").parts[1:3])

    def __str__(self) -> str:
        change = self.change
        return f"{change.path}:{self.line} in {change.function}\n    - {change.before}\n    + {change.after}"


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Give every mutant of one module; `path` is relative to the project's folder, where this must run."""
    source = path.read_text(encoding="utf-8")
    mutated = mutate_file_contents(str(path), source)
    starts = {name: node.lineno for name, node in _functions(source).items()}
    functions, lines = _functions(mutated.code), mutated.code.splitlines()
    module = ".".join(path.with_suffix("").parts)
    for name in mutated.mutant_names:
        original, changed = functions[f"{name.rpartition('_')[0]}_orig"], functions[name]
        function = ".".join(filter(None, _parts(name)))
        offset, before, after = _difference(_text(original, lines), _text(changed, lines))
        wording = _without_prose(original) == _without_prose(changed)
        change = Change(str(path), function, before, after)
        yield Mutant(f"{module}.{name}", change, starts[function] + offset, wording)


def sample(mutants: Iterable[Mutant], most: int) -> list[Mutant]:
    """Choose by a digest of the change: the same ones in each run, even after other code was added."""
    return sorted(mutants, key=lambda mutant: hashlib.sha256(repr(mutant.change).encode()).digest())[:most]


def _functions(source: str) -> dict[str, _Function]:
    """Give functions by name, methods by class and name; mutmut's copies of a method have the class in their name."""
    found: dict[str, _Function] = {}
    for node in ast.parse(source).body:
        owner, members = (f"{node.name}.", node.body) if isinstance(node, ast.ClassDef) else ("", [node])
        for member in members:
            if isinstance(member, _Function):
                found[member.name if _MANGLED.fullmatch(member.name) else owner + member.name] = member
    return found


def _parts(mangled: str) -> tuple[str, str]:
    found = _MANGLED.fullmatch(mangled)
    if found is None:
        raise ValueError(f"mutmut names a mutant in a way that is not known here: {mangled}")
    return found["owner"] or "", found["function"]


def _text(function: _Function, lines: list[str]) -> list[str]:
    text = lines[function.lineno - 1 : function.end_lineno]
    return [_MANGLED.sub(lambda found: found["function"], line) for line in text]


def _difference(old: list[str], new: list[str]) -> tuple[int, str, str]:
    """Give the number of the first different line, counted from the function's first, and the difference."""
    codes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    changed = [code for code in codes if code[0] != "equal"]
    (_, start, _, first, _), (_, _, end, _, last) = changed[0], changed[-1]
    return start, _joined(old[start:end]), _joined(new[first:last])


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


def _without_prose(function: _Function) -> str:
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value.split()) > 1:
            node.value = "..."
    return "".join(ast.dump(statement) for statement in function.body)
