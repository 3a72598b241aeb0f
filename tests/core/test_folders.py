"""Both processes keep their things in the same folders, on every system."""

from __future__ import annotations

import ast
from pathlib import Path

import platformdirs
import pytest

from segviz.core import folders

PACKAGE = Path(folders.__file__).resolve().parents[1]


def importers(root: Path) -> list[str]:
    """The modules below `root` that ask the system for folders themselves."""
    found = []
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if "platformdirs" in names:
                found.append(path.relative_to(root).as_posix())
    return found


def test_one_module_asks_the_system_for_folders() -> None:
    assert importers(PACKAGE) == ["core/folders.py"]


def test_another_one_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text("def log():\n    from platformdirs import user_log_path\n")
    assert importers(tmp_path) == ["server.py"]


@pytest.mark.parametrize("folder", [folders.logs, folders.settings, folders.cache])
def test_no_folder_of_an_author_lies_between(folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows it would, and did for one of the two processes."""
    asked = []

    def record(name: str, appauthor: object = None) -> Path:
        asked.append((name, appauthor))
        return Path("/somewhere")

    for call in ("user_log_path", "user_config_path", "user_cache_path"):
        monkeypatch.setattr(platformdirs, call, record)
    assert folder() == Path("/somewhere")
    assert asked == [("segviz", False)]
