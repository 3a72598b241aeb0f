"""Values through shared memory: whole, read-only, and no block left behind."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from segviz.worker import shared
from segviz.worker.shared import SMALLEST, Shelf, discard, sweep_strays, unpack

shows_blocks = pytest.mark.skipif(not shared.MEMORY_FILES.is_dir(), reason="blocks of memory are files on Linux alone")


@dataclass(frozen=True)
class Value:
    name: str
    first: object
    second: object = None


@pytest.fixture
def shelf():
    shelf = Shelf(shared.prefix_for_this_process())
    yield shelf
    shelf.clear()


def blocks_of(shelf: Shelf) -> list[str]:
    return [path.name for path in shared.MEMORY_FILES.glob(f"{shelf._prefix}_*")]


def travelled(shelf: Shelf, value):
    parcel = shelf.pack(value)
    arrived = unpack(parcel)
    if parcel.block is not None:
        shelf.release(parcel.block)
    return parcel, arrived


def test_large_arrays_lie_in_one_block_and_small_ones_in_the_pickle(shelf) -> None:
    large, other = np.arange(SMALLEST, dtype=np.int16), np.ones((300, 300), np.float32)
    parcel, arrived = travelled(shelf, Value("both", large, {"other": other, "small": np.arange(5)}))
    assert parcel.sizes == (large.nbytes, other.nbytes)
    assert len(parcel.data) < 1000
    np.testing.assert_array_equal(arrived.first, large)
    np.testing.assert_array_equal(arrived.second["other"], other)
    np.testing.assert_array_equal(arrived.second["small"], np.arange(5))


def test_arrays_arrive_read_only_and_the_sender_keeps_its_own_as_it_was(shelf) -> None:
    small, large = np.zeros(3), np.zeros(SMALLEST)
    _, arrived = travelled(shelf, Value("two", small, large))
    assert not arrived.first.flags.writeable
    assert not arrived.second.flags.writeable
    assert small.flags.writeable
    assert large.flags.writeable


def test_what_arrives_is_a_copy(shelf) -> None:
    sent = np.zeros(SMALLEST, np.uint8)
    parcel = shelf.pack(sent)
    sent[:] = 7
    assert unpack(parcel).max() == 0


@given(
    array=arrays_of.arrays(
        dtype=st.sampled_from([np.uint8, np.int16, np.float32, np.bool_, np.dtype(">i4")]),
        shape=arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6),
    ),
    transposed=st.booleans(),
)
def test_any_array_arrives_equal(array, transposed) -> None:
    value = array.T if transposed else array
    shelf = Shelf(shared.prefix_for_this_process())
    _, arrived = travelled(shelf, value)
    assert arrived.dtype == value.dtype
    assert arrived.shape == value.shape
    assert arrived.tobytes() == value.tobytes()


@pytest.mark.parametrize(
    "cut",
    [
        lambda a: a,
        lambda a: a.T,
        lambda a: a[::2],
        lambda a: a[:, ::-1],
        lambda a: a[:, 10:-10],
        lambda a: a.transpose(2, 0, 1),
        lambda a: np.broadcast_to(a[0], a.shape),
    ],
    ids=["whole", "transposed", "every second", "mirrored", "cut out", "channels first", "broadcast"],
)
def test_large_slices_go_through_shared_memory_too(shelf, cut) -> None:
    whole = np.random.default_rng(0).integers(0, 255, (200, 300, 5), dtype=np.uint8)
    parcel, arrived = travelled(shelf, cut(whole))
    assert parcel.block is not None
    np.testing.assert_array_equal(arrived, cut(whole))


def test_a_hundred_megabytes(shelf) -> None:
    large = np.arange(25_000_000, dtype=np.float32)
    parcel, arrived = travelled(shelf, Value("large", large, large[:10]))
    assert parcel.sizes == (100_000_000,)
    np.testing.assert_array_equal(arrived.first[::99991], large[::99991])
    assert arrived.first[-1] == large[-1]


def test_one_array_twice_travels_once(shelf) -> None:
    large = np.zeros(SMALLEST, np.uint8)
    parcel, arrived = travelled(shelf, Value("twice", large, large))
    assert parcel.sizes == (SMALLEST,)
    assert arrived.first is arrived.second


def test_empty_arrays_and_arrays_of_objects(shelf) -> None:
    empty, objects = np.zeros((0, 7, 3), np.float32), np.array([None, "a", (1, 2)], dtype=object)
    parcel, arrived = travelled(shelf, Value("odd", empty, objects))
    assert parcel.block is None
    assert arrived.first.shape == (0, 7, 3)
    assert list(arrived.second) == [None, "a", (1, 2)]


@shows_blocks
def test_no_block_outlives_its_delivery(shelf) -> None:
    parcel = shelf.pack(np.zeros(SMALLEST))
    assert blocks_of(shelf) == [parcel.block]
    unpack(parcel)
    assert blocks_of(shelf) == []
    assert shelf.held == (parcel.block,)
    shelf.release(parcel.block)
    assert shelf.held == ()


@shows_blocks
def test_a_parcel_that_cannot_be_opened_leaves_no_block(shelf, monkeypatch) -> None:
    parcel = shelf.pack(np.zeros(SMALLEST))

    def no_room(*_):
        raise MemoryError

    monkeypatch.setattr(shared, "_copies", no_room)
    with pytest.raises(MemoryError):
        unpack(parcel)
    assert blocks_of(shelf) == []


@shows_blocks
def test_the_sender_can_take_back_what_nobody_fetched(shelf) -> None:
    for _ in range(3):
        shelf.pack(np.zeros(SMALLEST))
    assert len(blocks_of(shelf)) == 3
    shelf.clear()
    assert blocks_of(shelf) == []


def test_a_block_that_is_gone_is_named(shelf) -> None:
    parcel = shelf.pack(np.zeros(SMALLEST))
    discard(parcel.block)
    with pytest.raises(FileNotFoundError):
        unpack(parcel)
    discard(parcel.block)  # nothing there any more, and no harm


def test_without_room_in_shared_memory_the_pipe_carries_it(shelf, monkeypatch) -> None:
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shared, "_reserve", full)
    large = np.arange(SMALLEST, dtype=np.uint16)
    parcel, arrived = travelled(shelf, large)
    assert parcel.block is None
    assert [len(part) for part in parcel.inline] == [large.nbytes]
    np.testing.assert_array_equal(arrived, large)
    assert not arrived.flags.writeable
    assert shelf.held == ()


def test_names_follow_one_another_so_that_the_next_is_known(shelf) -> None:
    names = [shelf.pack(np.zeros(SMALLEST)).block for _ in range(2)]
    assert [shared.serial_of(name) for name in names] == [1, 2]
    assert names == [shared.block_name(shelf._prefix, serial) for serial in (1, 2)]
    assert all(len(name) < 30 for name in names)


def test_a_block_without_room_takes_no_number(shelf, monkeypatch) -> None:
    """The receiver tidies up under the number after the last that it heard of."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shared, "_reserve", full)
        shelf.pack(np.zeros(SMALLEST))
    assert shelf.pack(np.zeros(SMALLEST)).block == shared.block_name(shelf._prefix, 1)


@shows_blocks
def test_strays_of_dead_processes_are_swept_and_nothing_else() -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    dead, alive = int(ended.stdout), os.getpid()
    old = (0, 0)  # accessed and changed in 1970

    def file(name: str, times: tuple[int, int] | None) -> Path:
        path = shared.MEMORY_FILES / name
        path.write_bytes(b"x")
        if times is not None:
            os.utime(path, times)
        return path

    stray = file(f"segviz_{dead:x}_abcdef_1", old)
    kept = [
        file(f"segviz_{alive:x}_abcdef_1", old),
        file(f"segviz_{dead:x}_abcdef_2", None),
        file(f"segviz_{dead:x}_something-else", old),
    ]
    try:
        assert sweep_strays() == [stray.name]
        assert not stray.exists()
        assert all(path.exists() for path in kept)
    finally:
        for path in (stray, *kept):
            path.unlink(missing_ok=True)
