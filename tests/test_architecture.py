"""Who may import whom, what loads nothing heavy, and words that may not stand in the source.

`docs/architecture.md` says why. Every rule here is also broken on purpose in a copy, so that a
guard that sees nothing is found out.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent / "segviz"
LONGEST_MODULE = 450  # lines

# Room -> the rooms that it may import from, itself included. `worker` has two sides.
ARROWS = {
    "core": {"core"},
    "models": {"models", "core"},
    "engine": {"engine", "models", "core"},
    "training": {"training", "models", "core"},
    "worker.messages": {"core"},
    "worker.client": {"worker", "core"},
    "worker.server": {"worker", "engine", "training", "models", "core"},
    "worker": {"worker", "core"},
    "lessons": {"lessons", "core"},
    "gui": {"gui", "lessons", "worker.client", "worker.messages", "core"},
    "cli": {"cli", "gui", "lessons", "worker", "training", "engine", "models", "core"},
}

# Library -> the rooms that may import it.
LIBRARIES = {
    **{name: {"gui"} for name in ("PySide6", "shiboken6", "pyqtgraph")},
    **{name: {"models", "engine", "training", "worker.server"} for name in ("torch", "torchvision", "timm", "onnx")},
}


class Import(NamedTuple):
    """One import as it stands in a file; `name` is the full dotted name, `inside` a function or not."""

    module: str
    name: str
    line: int
    inside: bool


def module_of(path: Path, root: Path) -> str:
    """'worker.client' for root/worker/client.py; '' for the package itself."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, root: Path) -> Iterator[Import]:
    """Every import of a file outside `if TYPE_CHECKING`, which only names types and loads nothing."""
    module = module_of(path, root)

    def walk(node: ast.AST, inside: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            deeper = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            if isinstance(child, ast.Import):
                yield from (Import(module, alias.name, child.lineno, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                package = ("segviz", *path.relative_to(root).parent.parts)
                above = package[: len(package) + 1 - child.level] if child.level else ()
                base = ".".join((*above, *([child.module] if child.module else [])))
                yield from (Import(module, f"{base}.{alias.name}", child.lineno, inside) for alias in child.names)
            yield from walk(child, deeper)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), False)


def within(module: str, rooms: set[str]) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)


def rules_for(module: str) -> set[str] | None:
    """The rooms that `module` may import from: the rule with the longest name that fits."""
    fitting = [room for room in ARROWS if within(module, {room})]
    return ARROWS[max(fitting, key=len)] if fitting else None


def violations(root: Path) -> list[str]:
    """Every import below `root` that goes against the arrows, as 'module:line imports name'."""
    found = []
    for path in sorted(root.rglob("*.py")):
        for item in imports_of(path, root):
            if not is_allowed(item):
                found.append(f"{item.module or 'segviz'}:{item.line} imports {item.name}")
    return found


def is_allowed(item: Import) -> bool:
    library = item.name.partition(".")[0]
    if library in LIBRARIES:
        return within(item.module, LIBRARIES[library]) or (within(item.module, {"cli"}) and item.inside)
    if library != "segviz":
        return True
    wanted = item.name.removeprefix("segviz").lstrip(".")
    if wanted.partition(".")[0] not in {room.partition(".")[0] for room in ARROWS}:
        return True  # the package's own names: __version__
    allowed = rules_for(item.module)
    if allowed is None:
        return item.inside or within(wanted, {"cli"})  # __main__ starts the command line
    heavy = within(item.module, {"cli"}) and not within(wanted, {"cli", "core"})
    return within(wanted, allowed) and (not heavy or item.inside)


def panel_modules(root: Path) -> set[str]:
    """The modules that hold a panel: a class of that name. Others beside them are parts that panels share."""
    return {
        module_of(path, root)
        for path in (root / "gui" / "panels").glob("*.py")
        if path.stem != "base"
        and any(
            isinstance(node, ast.ClassDef) and node.name.endswith("Panel")
            for node in ast.parse(path.read_text(encoding="utf-8")).body
        )
    }


def panels_in_panels(root: Path) -> list[str]:
    """Imports of a panel by its neighbours; only the table of panels may."""
    panels = panel_modules(root)
    return [
        f"{item.module}:{item.line} imports {item.name}"
        for path in sorted((root / "gui" / "panels").glob("*.py"))
        for item in imports_of(path, root)
        if path.stem != "__init__" and within(item.name.removeprefix("segviz."), panels)
    ]


def import_graph(root: Path) -> dict[str, set[str]]:
    """Module -> the modules that it imports, wherever the import stands, and the packages that these lie in.

    A package that the module itself lies in does not count: it is being loaded already.
    """
    paths = {module_of(path, root): path for path in sorted(root.rglob("*.py"))}
    graph: dict[str, set[str]] = {module: set() for module in paths}
    for module, path in paths.items():
        for item in imports_of(path, root):
            wanted = item.name.removeprefix("segviz.") if item.name.startswith("segviz.") else ""
            while wanted and not within(module, {wanted}):
                graph[module] |= {wanted} & paths.keys()
                wanted = wanted.rpartition(".")[0]
    return graph


def cycles(root: Path) -> list[list[str]]:
    """The groups of modules below `root` each of which imports all others of its group, over others or not."""
    graph = import_graph(root)

    def reached(module: str) -> set[str]:
        seen: set[str] = set()
        waiting = [module]
        while waiting:
            fresh = graph[waiting.pop()] - seen
            seen |= fresh
            waiting += fresh
        return seen

    reach = {module: reached(module) for module in graph}
    groups = {tuple(sorted(other for other in reach[module] if module in reach[other])) for module in graph}
    return [list(group) for group in sorted(groups) if group]


# -------------------------------------------------------------------------------------- arrows


def test_the_arrows_hold():
    assert violations(ROOT) == []


PLANTED = [
    ("core/new.py", "from segviz.gui import scene", "core.new:1 imports segviz.gui.scene"),
    ("core/new.py", "def f():\n    import torch", "core.new:2 imports torch"),
    ("core/new.py", "from PySide6.QtCore import QObject", "core.new:1 imports PySide6.QtCore.QObject"),
    ("gui/new.py", "import segviz.engine.run", "gui.new:1 imports segviz.engine.run"),
    ("gui/new.py", "from segviz.worker import server", "gui.new:1 imports segviz.worker.server"),
    ("gui/new.py", "import torch.nn as nn", "gui.new:1 imports torch.nn"),
    ("models/new.py", "from segviz.engine import graph", "models.new:1 imports segviz.engine.graph"),
    ("engine/new.py", "import pyqtgraph", "engine.new:1 imports pyqtgraph"),
    ("worker/messages.py", "from segviz.engine import run", "worker.messages:1 imports segviz.engine.run"),
    ("worker/client.py", "import torch", "worker.client:1 imports torch"),
    ("cli/new.py", "from segviz.engine import run", "cli.new:1 imports segviz.engine.run"),
    ("lessons/new.py", "from segviz.gui import app", "lessons.new:1 imports segviz.gui.app"),
]


@pytest.mark.parametrize(("place", "text", "found"), PLANTED, ids=[f"{p[0]}-{i}" for i, p in enumerate(PLANTED)])
def test_a_planted_violation_is_seen(tmp_path, place, text, found):
    path = tmp_path / "segviz" / place
    path.parent.mkdir(parents=True)
    path.write_text(text + "\n")
    assert violations(tmp_path / "segviz") == [found]


def test_panels_know_no_panels():
    assert panel_modules(ROOT) >= {"gui.panels.network", "gui.panels.inspector"}
    assert panels_in_panels(ROOT) == []


def parts_of_panels(root: Path) -> list[str]:
    """Imports of a part that carries a panel's name (`inspector_parts`) by what does not belong to that panel."""
    panels = {module.rpartition(".")[2] for module in panel_modules(root)}
    found = []
    for path in sorted((root / "gui" / "panels").glob("*.py")):
        for item in imports_of(path, root):
            part = item.name.removeprefix("segviz.gui.panels.").partition(".")[0]
            owner = next((panel for panel in panels if part.startswith(panel + "_")), None)
            if item.name.startswith("segviz.gui.panels.") and owner and not path.stem.startswith(owner):
                found.append(f"{item.module}:{item.line} imports {item.name}")
    return found


def test_what_panels_share_carries_no_panels_name():
    assert parts_of_panels(ROOT) == []


def test_a_borrowed_part_is_seen(tmp_path):
    inspector = "from segviz.gui.panels.inspector_parts import heading\nclass InspectorPanel: ..."
    root = planted(
        tmp_path,
        gui__panels__inspector=inspector,
        gui__panels__inspector_parts="",
        gui__panels__header="from segviz.gui.panels.inspector_parts import heading",
    )
    assert parts_of_panels(root) == ["gui.panels.header:1 imports segviz.gui.panels.inspector_parts.heading"]


@pytest.mark.parametrize("text", ["from .race import words", "from segviz.gui.panels.race import RacePanel"])
def test_a_panel_that_knows_another_is_seen(tmp_path, text):
    folder = tmp_path / "segviz" / "gui" / "panels"
    folder.mkdir(parents=True)
    (folder / "race.py").write_text("class RacePanel: ...\n")
    (folder / "heatmaps.py").write_text(f"from .words import title\n{text}\nclass HeatmapsPanel: ...\n")
    (folder / "__init__.py").write_text(f"{text}\n")
    name = "words" if "words" in text else "RacePanel"
    assert panels_in_panels(tmp_path / "segviz") == [f"gui.panels.heatmaps:2 imports segviz.gui.panels.race.{name}"]


def test_no_module_imports_itself_over_others():
    assert cycles(ROOT) == []


def planted(folder: Path, **modules: str) -> Path:
    """A package of the modules given as `gui__panels__race="import ..."`, with their packages."""
    root = folder / "segviz"
    for name, text in modules.items():
        path = root.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


@pytest.mark.parametrize("text", ["from segviz.gui import scene", "def f():\n    import segviz.gui.scene"])
def test_a_cycle_of_two_is_seen(tmp_path, text):
    root = planted(tmp_path, gui__scene="from segviz.gui.plan import wanted", gui__plan=text, gui__app=text)
    assert cycles(root) == [["gui.plan", "gui.scene"]]


def test_a_cycle_over_the_table_of_a_package_is_seen(tmp_path):
    """As when `tables` took words from `panels`, whose table loads every panel, one of which wants `tables`."""
    root = planted(
        tmp_path,
        gui__tables="from segviz.gui.panels.words import count",
        gui__panels__words="",
        gui__panels__race="from segviz.gui import tables\nfrom segviz.gui.panels import words",
    )
    (root / "gui" / "panels" / "__init__.py").write_text("from segviz.gui.panels.race import RacePanel\n")
    assert cycles(root) == [["gui.panels", "gui.panels.race", "gui.tables"]]


ALLOWED = [
    ("gui/new.py", "import pyqtgraph\nfrom segviz.worker.client import Client\nfrom segviz.worker import messages"),
    ("gui/panels/new.py", "from segviz.gui.panels.base import Area\nfrom segviz.gui.widgets import bars"),
    ("cli/new.py", "from segviz.cli import words\ndef run():\n    import torch\n    from segviz.engine import run"),
    ("core/new.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch"),
    ("worker/server.py", "import torch\nfrom segviz.engine import run\nfrom segviz.worker import messages"),
    ("engine/new.py", "import torch\nfrom segviz.models import lenet5\nfrom segviz import __version__"),
]


@pytest.mark.parametrize(("place", "text"), ALLOWED)
def test_what_is_allowed_is_not_reported(tmp_path, place, text):
    path = tmp_path / "segviz" / place
    path.parent.mkdir(parents=True)
    path.write_text(text + "\n")
    assert violations(tmp_path / "segviz") == []


# --------------------------------------------------------------------------------- light imports

HEAVY = ("torch", "PySide6", "pyqtgraph", "numpy", "PIL", "scipy")
MENUS = ("choices", "session", "catalogue", "field", "requests", "assets", "errors", "formats")


def loaded(statement: str) -> set[str]:
    """Which heavy libraries a fresh interpreter has after `statement`."""
    code = f"import sys\n{statement}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    return set(done.stdout.split())


def test_importing_segviz_loads_nothing_heavy():
    assert loaded("import segviz") == set()


def test_what_menus_need_loads_nothing_heavy():
    assert loaded(f"from segviz.core import {', '.join(MENUS)}\nfrom segviz.worker import messages") == set()


def test_a_heavy_import_would_be_seen():
    assert "numpy" in loaded("from segviz.core import images")


def test_no_room_of_the_window_loads_torch():
    assert "torch" not in loaded("from segviz.core import images, palettes, export, scores, resample")


# ------------------------------------------------------------------------------------- the source

# What opens the door to code in data, or to re-entered event loops. Written in two halves, so that
# a search for these words finds only real ones.
BANNED = tuple(
    a + b
    for a, b in (
        ("weights_only", "=False"),
        ("mmap", "=True"),
        ("pickle", ".load"),
        ("allow_pickle", "=True"),
        ("add_safe", "_globals"),
        ("process", "Events"),
        ("trust_repo", "=True"),
    )
)


def banned_words(root: Path) -> list[str]:
    found = []
    for path in sorted(root.rglob("*.py")):
        code = ast.unparse(without_docstrings(ast.parse(path.read_text(encoding="utf-8"))))
        found += [f"{module_of(path, root)}: {word}" for word in BANNED if word in code.replace(" = ", "=")]
    return found


def without_docstrings(tree: ast.Module) -> ast.Module:
    """`tree` without sentences about the code, which may well name what is banned."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [s for s in body if not is_text(s)] or [ast.Pass()]  # type: ignore[attr-defined]
    return tree


def is_text(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def test_nothing_in_the_source_runs_code_from_data():
    assert banned_words(ROOT) == []


@pytest.mark.parametrize("word", BANNED)
def test_a_planted_word_is_seen(tmp_path, word):
    code = f"f({word})" if "=" in word else f"a.{word}s()"
    (tmp_path / "new.py").write_text(f'"""About {word}."""\n{code}\n')
    assert banned_words(tmp_path) == [f"new: {word}"]


def module_lengths(root: Path) -> dict[str, int]:
    return {module_of(p, root): len(p.read_text(encoding="utf-8").splitlines()) for p in root.rglob("*.py")}


def test_modules_stay_readable():
    too_long = {module: lines for module, lines in module_lengths(ROOT).items() if lines > LONGEST_MODULE}
    assert too_long == {}, f"split these: {too_long}"


def test_every_public_module_says_what_it_is():
    bare = [
        module_of(path, ROOT)
        for path in ROOT.rglob("*.py")
        if (text := path.read_text(encoding="utf-8")) and ast.get_docstring(ast.parse(text)) is None
    ]
    assert bare == []
