"""Networks that Python makes: what is called, and what happens when it fails."""

from __future__ import annotations

import importlib.util
import py_compile
import sys

import pytest

from segviz.core.errors import SegvizError, UsageError
from segviz.engine import source

HEAD = "import torch\nfrom torch import nn\n"
CLASS = (
    "class {0}(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(2, 3)\n"
)


def file(tmp_path, text):
    path = tmp_path / "net.py"
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def of_file(path, wanted, classes):
    return source.of_file(path, path.read_bytes(), wanted, classes)


@pytest.mark.parametrize("name", source.USUAL)
def test_a_function_of_a_usual_name_is_called(name, tmp_path):
    text = CLASS.format("A") + CLASS.format("B") + f"def {name}():\n    return B()\n"
    assert type(of_file(file(tmp_path, text), None, None)).__name__ == "B"


def test_the_only_class_is_taken_and_not_what_is_imported(tmp_path):
    text = "from torch.nn import Linear\n" + CLASS.format("Own")
    assert type(of_file(file(tmp_path, text), None, None)).__name__ == "Own"


def test_several_classes_are_named_and_one_can_be_chosen(tmp_path):
    path = file(tmp_path, CLASS.format("A") + CLASS.format("B"))
    with pytest.raises(SegvizError, match=r"callable=NAME.*A, B"):
        of_file(path, None, None)
    assert type(of_file(path, "A", None)).__name__ == "A"
    with pytest.raises(SegvizError, match="no 'C' in it"):
        of_file(path, "C", None)


def test_a_network_that_is_there_is_taken_as_it_is(tmp_path):
    assert type(of_file(file(tmp_path, "net = nn.Linear(2, 3)\n"), None, None)).__name__ == "Linear"


def test_files_beside_it_can_be_imported_for_as_long_as_it_runs(tmp_path):
    (tmp_path / "beside_it.py").write_text(HEAD + CLASS.format("Other"), encoding="utf-8")
    before = list(sys.path)
    text = "from beside_it import Other\ndef model():\n    return Other()\n"
    assert type(of_file(file(tmp_path, text), None, None)).__name__ == "Other"
    assert sys.path == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise KeyError('a')\n", "KeyError"),
        ("import sys\nsys.exit(3)\n", "SystemExit"),
        ("def broken(:\n", "SyntaxError"),
        ("import no_such_package_at_all\n", "no_such_package_at_all"),
        ("def model():\n    return 1 / 0\n", "ZeroDivisionError"),
        ("def model(size):\n    return size\n", "TypeError"),
        ("def model():\n    return 3\n", "made a int, not a torch.nn.Module"),
        ("model = 3\n", "nothing that can be called"),
        ("", "Subclasses of nn.Module in it: none"),
    ],
)
def test_code_that_fails_is_one_message(text, words, tmp_path):
    with pytest.raises(SegvizError, match=words):
        of_file(file(tmp_path, text), None, None)


def test_a_number_of_classes_goes_to_who_takes_one(tmp_path):
    path = file(tmp_path, "def model(num_classes=2):\n    return nn.Linear(1, num_classes)\n")
    assert of_file(path, None, 9).out_features == 9
    path.write_text(HEAD + "def model():\n    return nn.Linear(1, 2)\n", encoding="utf-8")
    with pytest.raises(UsageError, match="takes no number of classes"):
        of_file(path, None, 9)


def test_python_runs_the_code_that_it_was_given_and_nothing_compiled_before(tmp_path):
    """A compiled file beside it that claims not to need a check is not looked at."""
    path = file(tmp_path, CLASS.format("Own"))
    other = tmp_path / "other.py"
    other.write_text(HEAD + CLASS.format("Planted"), encoding="utf-8")
    hidden = importlib.util.cache_from_source(str(path))
    py_compile.compile(str(other), hidden, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    assert type(of_file(path, None, None)).__name__ == "Own"
    code = path.read_bytes()
    path.write_bytes(b"raise SystemExit")
    assert type(source.of_file(path, code, None, None)).__name__ == "Own"


def test_a_module_that_was_edited_is_imported_again(tmp_path, monkeypatch):
    package = tmp_path / "pack_of_test"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    path = package / "nets.py"
    monkeypatch.chdir(tmp_path)
    found = []
    for outputs in (3, 3, 5):
        code = f"{HEAD}from . import nets\ndef build():\n    return nn.Linear(2, {outputs})\n".encode()
        path.write_bytes(code)
        found.append(source.of_module("pack_of_test.nets:build", path, code, None).out_features)
        found.append(id(sys.modules["pack_of_test.nets"]))
    assert found[::2] == [3, 3, 5]
    assert found[1] == found[3] != found[5]
    for name in ("pack_of_test", "pack_of_test.nets"):
        monkeypatch.delitem(sys.modules, name)
