"""Which programs a person has trusted: files that run when they are opened, each known by its content.

What is read to be known is what runs: whoever opens a program gets the bytes that trust was asked for, so
that nobody can put other ones in their place in between. What a Python program imports is not part of
its content, and is said to be so.

A list beside the settings, of both processes: the window adds to it after its question, the engine
looks before it opens. It is no part of a session: a file from a stranger cannot bring trust along.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from segviz.core import folders
from segviz.core.errors import SegvizError, clean, named
from segviz.core.specs import Kind, Spec

FILE = "trusted.json"


class UntrustedError(SegvizError):
    """A program that nobody has trusted yet; `key` is what trust would be given to."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key

    def __reduce__(self) -> tuple[type[UntrustedError], tuple[str, str]]:
        return type(self), (str(self), self.key)


def source_of(spec: Spec) -> Path:
    """The file that is run: of `python:package.module:callable` that of the module, found without importing any.

    Raises SegvizError where there is no such module, or none written in Python.
    """
    if spec.kind is not Kind.PYTHON:
        return spec.path
    name = spec.name.partition(":")[0]
    words, places, origin = name.split("."), [*sys.path, str(Path.cwd())], None
    for number in range(len(words)):
        found = PathFinder.find_spec(".".join(words[: number + 1]), places)
        if found is None:
            raise SegvizError(f"python:{spec.name}: there is no module '{clean(name)}' here")
        places, origin = list(found.submodule_search_locations or ()), found.origin
    if origin is None or not origin.endswith(".py"):
        raise SegvizError(f"python:{spec.name}: '{clean(name)}' is no module written in Python")
    return Path(origin)


def content(spec: Spec) -> bytes:
    """The program of `spec` as it is now. Raises SegvizError where it cannot be read."""
    path = source_of(spec)
    try:
        return path.read_bytes()
    except OSError as error:
        raise SegvizError(f"{named(path)}: cannot be read ({error.strerror or error})") from error


def key_of(spec: Spec, program: bytes) -> str:
    """What trust in `program` is given to: its content, and of a module its name too, which says what is called."""
    told = hashlib.sha256(program).hexdigest()
    return f"python:{spec.name}:{told}" if spec.kind is Kind.PYTHON else told


def check(spec: Spec, granted: bool, why: str) -> bytes:
    """The program of `spec`, to be run as it is. Raises UntrustedError unless it is trusted.

    `granted` is the word of the command line, `why` says what the file is: 'a TorchScript archive'.
    """
    program = content(spec)
    key = key_of(spec, program)
    if not granted and key not in _trusted():
        raise UntrustedError(
            f"'{named(spec.name)}' is {why}: opening it runs its code; --trust lets it, if you know where it is from",
            key,
        )
    return program


def give(key: str) -> None:
    """Trust `key` from now on."""
    path = folders.settings() / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(sorted({*_trusted(), key})), encoding="utf-8")
    os.replace(part, path)  # noqa: PTH105  whole or not at all


def _trusted() -> frozenset[str]:
    try:
        found = json.loads((folders.settings() / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return frozenset()
    return frozenset(key for key in found if isinstance(key, str)) if isinstance(found, list) else frozenset()
