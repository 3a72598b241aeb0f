from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from segviz.core.errors import SegvizError
from segviz.training import datasets
from segviz.training.datasets import fashion, labelled, mnist, read_idx


def idx(values: np.ndarray, kind: int = 8) -> bytes:
    """An IDX file, written after its description by LeCun."""
    sizes = struct.pack(f">{values.ndim}I", *values.shape)
    return bytes([0, 0, kind, values.ndim]) + sizes + values.astype(np.uint8).tobytes()


@given(values=arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, values: np.ndarray) -> None:
    file = tmp_path_factory.mktemp("idx") / "x.gz"
    file.write_bytes(gzip.compress(idx(values)))
    read = read_idx(file)
    assert read.dtype == np.uint8
    assert np.array_equal(read, values)


def test_shipped_digits() -> None:
    learn, check = mnist("train"), mnist("t10k")
    assert (learn.images.shape, check.images.shape) == ((8000, 28, 28), (2000, 28, 28))
    assert len(learn) == 8000
    assert set(np.unique(learn.labels)) == set(np.unique(check.labels)) == set(range(10))
    assert np.bincount(learn.labels).min() > 600  # no digit is rare
    assert learn.images[:, 0].max() == 0  # the border is paper
    assert learn.images.max() == 255
    together = np.concatenate((learn.images, check.images)).reshape(10_000, -1)
    assert len(np.unique(together, axis=0)) == 10_000  # nothing that is learnt from is tested with


WHOLE = idx(np.arange(12).reshape(3, 2, 2))


def packed(data: bytes) -> bytes:
    """Without the time of day, which would be in the name of a test."""
    return gzip.compress(data, mtime=0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an IDX file|not a whole gzip file"),
        (WHOLE, "not a whole gzip file"),
        (packed(WHOLE)[:-12], "not a whole gzip file"),
        (packed(b"\x01" + WHOLE[1:]), "not an IDX file"),
        (packed(idx(np.zeros(4), kind=0x0D)), "kind 0x0d"),
        (packed(WHOLE[:10]), "cut short, 6 of 12"),
        (packed(WHOLE[:-1]), "cut short, 11 of 12"),
        (packed(WHOLE + b"\0"), "longer than the 12"),
        (packed(bytes([0, 0, 8, 3]) + b"\xff" * 12), "announces 79228162458924105385300197375 bytes"),
    ],
)
def test_broken_files_are_refused_by_name(data: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "digits.gz"
    file.write_bytes(data)
    with pytest.raises(SegvizError, match=rf"^digits\.gz: .*({message})"):
        read_idx(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SegvizError, match=r"gone\.gz: there is no such file"):
        read_idx(tmp_path / "gone.gz")


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "LARGEST_DATA", 11)
    file = tmp_path / "bomb.gz"
    file.write_bytes(gzip.compress(WHOLE))
    with pytest.raises(SegvizError, match="the limit is 11"):
        read_idx(file)


def test_images_and_labels_must_belong_together(tmp_path: Path) -> None:
    images, labels = tmp_path / "images.gz", tmp_path / "labels.gz"
    images.write_bytes(gzip.compress(WHOLE))
    labels.write_bytes(gzip.compress(idx(np.array([1, 2]))))
    with pytest.raises(SegvizError, match=r"images\.gz has 3 images but labels\.gz 2 labels"):
        labelled(images, labels)
    with pytest.raises(SegvizError, match=r"labels\.gz has 1 dimensions"):
        labelled(labels, images)
    labels.write_bytes(gzip.compress(idx(np.array([1, 2, 3]))))
    assert labelled(images, labels).labels.tolist() == [1, 2, 3]


def test_shipped_clothes() -> None:
    learn, check = fashion("train"), fashion("t10k")
    assert (learn.images.shape, check.images.shape) == ((10_000, 28, 28), (2000, 28, 28))
    assert set(np.unique(learn.labels)) == set(np.unique(check.labels)) == set(range(10))
    assert np.bincount(learn.labels).min() > 900
