"""Networks that Python makes: what is called, and what happens when it fails."""

from __future__ import annotations

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


@pytest.mark.parametrize("name", source.USUAL)
def test_a_function_of_a_usual_name_is_called(name, tmp_path):
    text = CLASS.format("A") + CLASS.format("B") + f"def {name}():\n    return B()\n"
    assert type(source.of_file(file(tmp_path, text), None, None)).__name__ == "B"


def test_the_only_class_is_taken_and_not_what_is_imported(tmp_path):
    text = "from torch.nn import Linear\n" + CLASS.format("Own")
    assert type(source.of_file(file(tmp_path, text), None, None)).__name__ == "Own"


def test_several_classes_are_named_and_one_can_be_chosen(tmp_path):
    path = file(tmp_path, CLASS.format("A") + CLASS.format("B"))
    with pytest.raises(SegvizError, match=r"callable=NAME.*A, B"):
        source.of_file(path, None, None)
    assert type(source.of_file(path, "A", None)).__name__ == "A"
    with pytest.raises(SegvizError, match="no 'C' in it"):
        source.of_file(path, "C", None)


def test_a_network_that_is_there_is_taken_as_it_is(tmp_path):
    assert type(source.of_file(file(tmp_path, "net = nn.Linear(2, 3)\n"), None, None)).__name__ == "Linear"


def test_files_beside_it_can_be_imported_for_as_long_as_it_runs(tmp_path):
    (tmp_path / "beside_it.py").write_text(HEAD + CLASS.format("Other"), encoding="utf-8")
    before = list(sys.path)
    text = "from beside_it import Other\ndef model():\n    return Other()\n"
    assert type(source.of_file(file(tmp_path, text), None, None)).__name__ == "Other"
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
        source.of_file(file(tmp_path, text), None, None)


def test_a_number_of_classes_goes_to_who_takes_one(tmp_path):
    path = file(tmp_path, "def model(num_classes=2):\n    return nn.Linear(1, num_classes)\n")
    assert source.of_file(path, None, 9).out_features == 9
    path.write_text(HEAD + "def model():\n    return nn.Linear(1, 2)\n", encoding="utf-8")
    with pytest.raises(UsageError, match="takes no number of classes"):
        source.of_file(path, None, 9)
