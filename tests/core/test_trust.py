"""Trust is given to a content, once, and to nothing else."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from segviz.core import folders, trust
from segviz.core.errors import SegvizError
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


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a package and a module."""
    for name in ("mine/__init__.py", "mine/net.py", "alone.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("raise RuntimeError('imported')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(name: str) -> str:
    """The key that trust in `python:name` would be given to; the question must come."""
    with pytest.raises(trust.UntrustedError) as told:
        trust.check(Spec(name, (), Kind.PYTHON), granted=False, why="Python code")
    return told.value.key


def test_trust_in_one_program_keeps_that_in_another(here: Path) -> None:
    names = ("mine.net:build", "alone:build")
    for name in names:
        trust.give(asked(name))
    for name in names:
        assert b"imported" in trust.check(Spec(name, (), Kind.PYTHON), granted=False, why="Python")


def test_a_module_is_found_without_running_it_and_known_by_its_source(here: Path) -> None:
    trust.give(asked("mine.net:build"))
    asked("mine.net:other")  # another thing of it is another program
    (here / "mine/net.py").write_text("other = 1\n", encoding="utf-8")
    asked("mine.net:build")


@pytest.mark.parametrize("name", ["nothing.there:build", "mine.missing:build", "_struct:build", "sys:build"])
def test_a_module_that_is_not_there_cannot_be_trusted(here: Path, name: str) -> None:
    with pytest.raises(SegvizError, match=r"no module"):
        trust.check(Spec(name, (), Kind.PYTHON), granted=False, why="Python")


def test_what_was_asked_about_is_what_is_handed_out(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_bytes(b"one")
    spec = Spec(str(path), (), Kind.FILE)
    trust.give(trust.key_of(spec, b"one"))
    program = trust.check(spec, granted=False, why="Python")
    path.write_bytes(b"swapped")
    assert program == b"one"


@pytest.mark.parametrize("text", ["", "{", "3", '{"a": 1}', "[1, null]"])
def test_a_broken_list_trusts_nothing(text: str, here: Path) -> None:
    folders.settings().mkdir()
    (folders.settings() / trust.FILE).write_text(text)
    asked("alone:build")


def test_the_question_crosses_to_the_window() -> None:
    error = trust.UntrustedError("net.pt2 is a program", "key")
    found = pickle.loads(pickle.dumps(error))
    assert (str(found), found.key) == (str(error), "key")
