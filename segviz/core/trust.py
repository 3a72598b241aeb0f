"""Which programs a person has trusted: files that run when they are opened, each known by its content.

A list beside the settings, of both processes: the window adds to it after its question, the engine
looks before it opens. It is no part of a session: a file from a stranger cannot bring trust along.
"""

from __future__ import annotations

import hashlib
import json
import os

from segviz.core import folders
from segviz.core.errors import SegvizError, named
from segviz.core.specs import Kind, Spec

FILE = "trusted.json"


class UntrustedError(SegvizError):
    """A program that nobody has trusted yet; `key` is what trust would be given to."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key

    def __reduce__(self) -> tuple[type[UntrustedError], tuple[str, str]]:
        return type(self), (str(self), self.key)


def key_of(spec: Spec) -> str:
    """What trust in the program of `spec` is given to: the content of a file, the name of a callable.

    Raises SegvizError for a file that cannot be read.
    """
    if spec.kind is Kind.PYTHON:
        return f"python:{spec.name}"
    try:
        with spec.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SegvizError(f"{named(spec.path)}: cannot be read ({error.strerror or error})") from error


def check(spec: Spec, granted: bool, why: str) -> None:
    """Raise UntrustedError unless the program of `spec` is trusted; `granted` is the word of the command line.

    `why` says what the file is: 'a TorchScript archive'.
    """
    if granted:
        return
    key = key_of(spec)
    if key not in _trusted():
        raise UntrustedError(
            f"'{named(spec.name)}' is {why}: opening it runs its code; --trust lets it, if you know where it is from",
            key,
        )


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
