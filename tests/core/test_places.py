"""Questions about paths from anywhere have an answer, whatever the path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from segviz.core.places import is_file, is_folder


@pytest.mark.parametrize("path", ["x" * 300, "/" + "y/" * 3000, "a\0b", ""], ids=["name", "path", "null", "empty"])
def test_what_cannot_be_is_not_there(path: str) -> None:
    assert not is_file(path)
    assert not is_folder(path)


def test_what_is_there_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    assert (is_file(tmp_path / "a.png"), is_folder(tmp_path / "a.png")) == (True, False)
    assert (is_file(tmp_path), is_folder(str(tmp_path))) == (False, True)


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may look everywhere")
def test_a_folder_that_may_not_be_looked_into_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "a.png").write_bytes(b"")
    (tmp_path / "closed").chmod(0)
    try:
        assert not is_file(tmp_path / "closed" / "a.png")
    finally:
        (tmp_path / "closed").chmod(0o700)
