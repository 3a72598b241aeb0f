"""Trust is given to a content, once, and to nothing else."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from segviz.core import folders, trust
from segviz.core.specs import Kind, Spec


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "settings", lambda: tmp_path / "settings")


def test_a_program_is_trusted_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    path.write_bytes(b"one")
    spec = Spec(str(path), (), Kind.FILE)
    with pytest.raises(
        trust.UntrustedError, match=r"net\.pt2' is an exported program: opening it runs its code"
    ) as told:
        trust.check(spec, granted=False, why="an exported program")
    trust.check(spec, granted=True, why="an exported program")  # the word of the command line is for once
    with pytest.raises(trust.UntrustedError):
        trust.check(spec, granted=False, why="an exported program")
    trust.give(told.value.key)
    trust.check(spec, granted=False, why="an exported program")
    path.write_bytes(b"another")
    with pytest.raises(trust.UntrustedError):
        trust.check(spec, granted=False, why="an exported program")


def test_trust_in_one_program_keeps_that_in_another(tmp_path: Path) -> None:
    for name in ("python:a:b", "python:c:d"):
        trust.give(name)
    for name in ("a:b", "c:d"):
        trust.check(Spec(name, (), Kind.PYTHON), granted=False, why="Python")


@pytest.mark.parametrize("text", ["", "{", "3", '{"a": 1}', "[1, null]"])
def test_a_broken_list_trusts_nothing(text: str) -> None:
    folders.settings().mkdir()
    (folders.settings() / trust.FILE).write_text(text)
    with pytest.raises(trust.UntrustedError):
        trust.check(Spec("a:b", (), Kind.PYTHON), granted=False, why="Python")


def test_the_question_crosses_to_the_window() -> None:
    error = trust.UntrustedError("net.pt2 is a program", "key")
    found = pickle.loads(pickle.dumps(error))
    assert (str(found), found.key) == (str(error), "key")
