"""What a file is, by its first bytes and not by its name."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from segviz.core.errors import SegvizError
from segviz.engine.sniff import FileKind, what_is


def packed(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(f"net/{name}", b"3\n")
    return made.getvalue()


def saved(zipped: bool) -> bytes:
    made = io.BytesIO()
    torch.save({"w": torch.zeros(2)}, made, _use_new_zipfile_serialization=zipped)
    return made.getvalue()


FILES = {
    FileKind.SAFETENSORS: save({"w": torch.zeros(2)}),
    FileKind.ARCHIVE: saved(True),
    FileKind.PICKLE: saved(False),
    FileKind.TORCHSCRIPT: packed("data.pkl", "constants.pkl", "code/__torch__.py", "version"),
    FileKind.EXPORTED: packed("archive_format", "models/model.json", "data/weights/weights_config.json"),
    FileKind.ONNX: b"\x08\x08\x12\x07pytorch:\x10" + bytes(40),  # ir_version 8, then the producer's name
}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".pt2", ".onnx", ".py", ".png", ""])
@pytest.mark.parametrize("kind", FILES)
def test_the_name_decides_nothing(kind: FileKind, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"net{suffix}"
    path.write_bytes(FILES[kind])
    assert what_is(path) is kind


def test_python_alone_is_told_by_its_name(tmp_path: Path) -> None:
    for name in ("net.py", "NET.PY"):
        (tmp_path / name).write_text("import torch\n")
        assert what_is(tmp_path / name) is FileKind.PYTHON
    (tmp_path / "net.txt").write_text("import torch\n")
    with pytest.raises(SegvizError, match=r"net\.txt: text, not a file of weights"):
        what_is(tmp_path / "net.txt")


def test_every_kind_is_tried() -> None:
    assert {*FILES, FileKind.PYTHON} == set(FileKind)


@pytest.mark.parametrize(("name", "reason"), [("net.onnx", "not an ONNX file"), ("net.pth", "not a file of weights")])
def test_noise_is_refused(name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(bytes(range(255, 0, -1)) * 4)
    with pytest.raises(SegvizError, match=reason):
        what_is(tmp_path / name)


def test_a_list_of_class_names_that_was_opened_as_a_network_is_told_where_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("cat\ndog\n", encoding="utf-8")
    with pytest.raises(SegvizError, match=r"text, not a .*drop it on the window.*Class names.*labels="):
        what_is(path)
