"""Files that mean harm or are damaged: each is refused with one message, executes nothing and takes no memory.

Every program in them would write a canary. Together with `tests/hostile_adapter.py` this is what a corpus
of such files is run against; those here are made by hand, since torch itself does not write them.
"""

from __future__ import annotations

import argparse
import io
import os
import pickle
import re
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segviz.core import specs
from segviz.core.errors import LONGEST_MESSAGE, SegvizError
from segviz.engine.checkpoints import read_tensors
from segviz.engine.opening import opened
from segviz.engine.sniff import FileKind, what_is
from tests.hostile_adapter import Reference, load

FOUR = struct.pack("<4f", 1, 2, 3, 4)


@pytest.fixture(autouse=True)
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that programs in these files would write to; nothing may have appeared in it afterwards."""
    place = tmp_path / "canary"
    place.mkdir()
    monkeypatch.setenv("CANARY", str(place))
    monkeypatch.chdir(place)
    yield place
    assert list(place.iterdir()) == []


class Calls:
    """Pickled, it is a call of `function`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


CODE = "import os\nopen(os.path.join(os.environ['CANARY'], 'sang'), 'w').close()"
EXEC, SYSTEM = Calls(exec, CODE), Calls(os.system, 'touch "$CANARY/sang"')


class Storage:
    """A reference to a storage, which may lie about its size, key and device."""

    def __init__(self, count: int = 4, key: str = "0", device: str = "cpu", kind: type = torch.FloatStorage) -> None:
        self.told = ("storage", kind, key, device, count)


class Claimed:
    """A tensor as torch.save writes it, with any shape, stride and offset."""

    def __init__(self, storage: Storage, shape: tuple[int, ...] = (4,), stride: Any = (1,), offset: int = 0) -> None:
        self.call = (storage, offset, shape, stride, False, OrderedDict())

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return torch._utils._rebuild_tensor_v2, self.call


class Pickler(pickle.Pickler):
    def persistent_id(self, value: object) -> object:
        return value.told if isinstance(value, Storage) else None


def pickled(value: object, protocol: int = 2) -> bytes:
    made = io.BytesIO()
    Pickler(made, protocol).dump(value)
    return made.getvalue()


def archive(
    value: object = None,
    records: dict[str, bytes] | None = None,
    *,
    raw: bytes | None = None,
    method: int = zipfile.ZIP_STORED,
    notes: dict[str, bytes] | None = None,
) -> bytes:
    """The archive of torch.save with `value` pickled in it, or `raw` in its place."""
    made = io.BytesIO()
    every = {
        "data.pkl": pickled(value) if raw is None else raw,
        **{f"data/{key}": data for key, data in ({"0": FOUR} if records is None else records).items()},
        **({"version": b"3\n", "byteorder": b"little"} if notes is None else notes),
    }
    with zipfile.ZipFile(made, "w", method) as packed:
        for name, data in every.items():
            packed.writestr(f"archive/{name}", data)
    return made.getvalue()


def saved(value: object, **options: Any) -> bytes:
    made = io.BytesIO()
    torch.save(value, made, **options)
    return made.getvalue()


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return Reference().state_dict()


def w(storage: Storage | None = None, *shape: Any) -> dict[str, Claimed]:
    return {"w": Claimed(storage or Storage(), *shape)}


def refusal(data: bytes, folder: Path, name: str = "net.pth") -> str:
    path = folder / name
    path.write_bytes(data)
    with pytest.raises(SegvizError) as told:
        read_tensors(path)
    message = str(told.value)
    assert message.startswith(f"{name}: ")
    assert len(message) <= LONGEST_MESSAGE
    assert "Traceback" not in message
    return message


def test_the_hand_made_archive_is_one(tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(archive(w()))
    assert read_tensors(tmp_path / "net.pth")["w"].tolist() == [1, 2, 3, 4]


# --------------------------------------------------------------------------------------------- programs


PROGRAMS = {
    "a pickle": lambda: pickle.dumps(EXEC, 2),
    "a pickle of protocol 0": lambda: pickle.dumps(EXEC, 0),
    "a pickle of protocol 5": lambda: pickle.dumps(EXEC, 5),
    "a pickle that starts a shell": lambda: pickle.dumps(SYSTEM, 2),
    "an archive": lambda: archive(EXEC),
    "beside tensors": lambda: archive({**w(), "note": EXEC}),
    "in the optimizer": lambda: archive({"state_dict": w(), "optimizer": [SYSTEM]}),
    "in a file of the older form": lambda: saved(
        {"w": torch.zeros(2), "note": EXEC}, _use_new_zipfile_serialization=False
    ),
    "after the words of the older form": lambda: b"".join(
        pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, EXEC)
    ),
    "settings": lambda: saved({"state_dict": weights(), "args": argparse.Namespace(lr=0.1)}),
    "a number of NumPy": lambda: saved({"state_dict": weights(), "best": np.float64(0.71)}),
    "a whole model": lambda: saved(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1))),
    "room for a terabyte": lambda: archive({**w(), "note": Calls(bytearray, 1 << 40)}),
}


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors", "net.onnx", "net.py", "net"])
@pytest.mark.parametrize("what", PROGRAMS)
def test_programs_in_pickles_are_refused_and_never_run(what: str, name: str, tmp_path: Path) -> None:
    message = refusal(PROGRAMS[what](), tmp_path, name)
    assert ": unsafe: its pickle runs code ('" in message
    assert message.endswith("save model.state_dict() or safetensors there")


def test_the_canary_would_sing(canary: Path) -> None:
    assert pickle.loads(pickle.dumps(EXEC, 2)) is None  # as a loader does that trusts its file
    (canary / "sang").unlink()  # it was there


def test_a_model_of_a_persons_own_class_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = types.ModuleType("students_project")

    class Net(torch.nn.Module):
        pass

    Net.__module__, Net.__qualname__, project.Net = project.__name__, "Net", Net
    monkeypatch.setitem(sys.modules, "students_project", project)
    assert "('students_project.Net', a class or function, as a whole model" in refusal(saved(Net()), tmp_path)


def test_what_holds_a_program_is_known_and_left_to_its_opener(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(scripted())
    assert what_is(path) is FileKind.TORCHSCRIPT
    with pytest.raises(SegvizError, match="TorchScript"):
        opened(specs.of_file(path))


def scripted() -> bytes:
    """The names of a TorchScript archive, which are what tells it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py", "version"):
            packed.writestr(f"net/{name}", b"3\n")
    return made.getvalue()


# ------------------------------------------------------------------------------------------------- lies


def flipped(data: bytes, where: bytes, behind: int) -> bytes:
    changed = bytearray(data)
    changed[data.index(where) + behind] ^= 0x55
    return bytes(changed)


def with_central(data: bytes, change: Callable[[bytearray, int], None]) -> bytes:
    """`change` made to every entry of the archive's list of contents."""
    changed, place = bytearray(data), -1
    while (place := changed.find(b"PK\x01\x02", place + 1)) >= 0:
        change(changed, place)
    return bytes(changed)


def larger(data: bytearray, place: int) -> None:
    for field in (20, 24):
        size = struct.unpack_from("<I", data, place + field)[0]
        struct.pack_into("<I", data, place + field, size + (1 << 20))


def encrypted(data: bytearray, place: int) -> None:
    data[place + 8] |= 1


def twice() -> bytes:
    made = io.BytesIO(archive(w()))
    with zipfile.ZipFile(made, "a") as packed, pytest.warns(UserWarning, match="Duplicate name"):
        packed.writestr("archive/data.pkl", pickled(EXEC))
    return made.getvalue()


def legacy_claim(count: int, keys: tuple[str, ...] = ("0",)) -> bytes:
    words = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True, "protocol_version": 1001})
    storage = Storage(count)
    storage.told = (*storage.told, None)
    body = pickled({"w": Claimed(storage, (count,))}) + pickle.dumps(list(keys), 2)
    return b"".join(pickle.dumps(word, 2) for word in words) + body + struct.pack("<q", count) + FOUR


LIES: dict[str, tuple[Callable[[], bytes], str]] = {
    "more numbers than there are": (lambda: archive(w(Storage(1 << 20), (1 << 20,))), "damaged.*size mismatch"),
    "a terabyte": (lambda: archive(w(Storage(1 << 40), (1 << 40,))), "damaged.*size mismatch"),
    "a terabyte, older form": (lambda: legacy_claim(1 << 40), "damaged.*size mismatch"),
    "room without numbers, older form": (lambda: legacy_claim(1 << 40, ()), "damaged.*storages are others"),
    "fewer numbers than there are": (lambda: archive(w(Storage(1), (1,))), "damaged.*size mismatch"),
    "a tensor larger than its storage": (lambda: archive(w(None, (400,))), "damaged.*out of bounds"),
    "a tensor behind its storage": (lambda: archive(w(None, (4,), (1,), 1000)), "damaged.*out of bounds"),
    "a negative offset": (lambda: archive(w(None, (4,), (1,), -4)), "damaged.*offset or stride"),
    "a negative stride": (lambda: archive(w(None, (4,), (-1,))), "damaged.*shape or stride"),
    "strides of zero": (lambda: archive(w(None, (1 << 40,), (0,))), "damaged.*size mismatch"),
    "a shape beyond 64 bits": (lambda: archive(w(None, (1 << 62, 1 << 62), (1 << 62, 1))), "damaged.*size mismatch"),
    "a storage that is not there": (lambda: archive(w(Storage(4, "7"))), "damaged.*storage '7' is missing"),
    "a storage elsewhere": (lambda: archive(w(Storage(4, "../../secret"))), "damaged.*is missing"),
    "one storage, two sizes": (lambda: archive({**w(), "v": Claimed(Storage(3), (3,))}), "damaged.*two sizes"),
    "an item of a tensor": (
        lambda: archive(raw=pickled(Claimed(Storage()))[:-1] + b"K\x00G" + struct.pack(">d", 2.0) + b"s."),
        "damaged.*SETITEM",
    ),
    "two records of one name": (twice, "two records named 'data.pkl'"),
    "a record elsewhere": (lambda: archive(w(), {"0": FOUR, "../../../x": b""}), "whose name leaves its folder"),
    "a program among the records": (
        lambda: archive(w(), {"0": FOUR, "0/run.py": b""}),
        "no place in a file of weights",
    ),
    "an encrypted archive": (lambda: with_central(archive(w()), encrypted), "encrypted"),
    "sizes beyond the file": (lambda: with_central(archive(w()), larger), "damaged.*has a size of"),
    "a compressed archive": (
        lambda: archive(w(Storage(1 << 20), (1 << 20,)), {"0": bytes(4 << 20)}, method=zipfile.ZIP_DEFLATED),
        "compressed",
    ),
    "a flipped bit among the numbers": (lambda: flipped(archive(w()), FOUR, 3), "damaged.*checksum"),
    "no version": (lambda: archive(w(), notes={"byteorder": b"little"}), "damaged.*version is missing"),
    "a version to come": (lambda: archive(w(), notes={"version": b"999\n"}), "newer torch"),
    "no byte order": (lambda: archive(w(), notes={"version": b"3\n", "byteorder": b"middle"}), "damaged.*byte order"),
    "a sparse tensor": (lambda: saved({"w": torch.eye(3).to_sparse()}), "sparse"),
    "a tensor without values": (lambda: saved({"w": torch.empty(3, device="meta")}), "without values"),
}


@pytest.mark.parametrize("what", LIES)
def test_claims_that_a_file_cannot_keep_are_refused(what: str, tmp_path: Path) -> None:
    make, reason = LIES[what]
    assert re.search(reason, refusal(make(), tmp_path))


BOMBS: dict[str, tuple[bytes, str]] = {
    "a text of a terabyte": (b"\x80\x02\x8d" + struct.pack("<Q", 1 << 40) + b"abc.", "damaged"),
    "a text of two gigabytes": (b"\x80\x02X" + struct.pack("<I", (1 << 31) - 1) + b"abc.", "damaged"),
    "lists in lists": (b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".", "structure is a list"),
    "a place in memory far away": (b"\x80\x02]r\xf0\xff\xff\xff.", "structure is a list"),
    "a number of a megabyte": (b"\x80\x02\x8b" + struct.pack("<i", 1 << 20) + b"\x7f" * (1 << 20) + b".", "an? int"),
    "a dict in itself": (b"\x80\x02}q\x00X\x05\x00\x00\x00modelh\x00s.", "more than 4 wrappings"),
    "without end": (b"\x80\x02" + b"N0" * 600_000 + b"N.", "structure of more than 1,000,000"),
    "nothing on the stack": (b"\x80\x020.", "damaged"),
    "a key that takes for ever to hash": (b"\x80\x02})" + b"q\x01h\x01\x86" * 60 + b"Ns.", "damaged"),
}


@pytest.mark.parametrize("what", BOMBS)
def test_pickles_that_would_fill_memory_or_time_are_refused(what: str, tmp_path: Path) -> None:
    data, reason = BOMBS[what]
    assert re.search(reason, refusal(archive(raw=data), tmp_path))


NO_STATE_DICTS: dict[str, tuple[Callable[[], object], str]] = {
    "empty": (dict, "empty"),
    "a list": (lambda: [torch.zeros(2)], "a list"),
    "a tensor": (lambda: torch.zeros(2), "a tensor"),
    "None": (lambda: None, "NoneType"),
    "numbered": (lambda: {0: torch.zeros(2)}, "a key is 0"),
    "a list for a tensor": (
        lambda: {"head.weight": torch.zeros(2), "head.bias": [0.0]},
        "'head.bias' is no tensor but",
    ),
    "five wrappings": (lambda: {"model": {"model": {"model": {"model": {"model": {}}}}}}, "more than 4 wrappings"),
}


@pytest.mark.parametrize("what", NO_STATE_DICTS)
def test_what_is_no_state_dict_is_said_to_be_none(what: str, tmp_path: Path) -> None:
    make, reason = NO_STATE_DICTS[what]
    message = refusal(saved(make()), tmp_path)
    assert "not a state_dict: " in message
    assert reason in message


# ----------------------------------------------------------------------------------------- other files


STRANGERS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is empty"),
    "one byte": (b"P", "damaged"),
    "text": (b"These are not weights.\n", "text, not a file of weights"),
    "a web page": (b"<!DOCTYPE html><title>404</title>", "HTML.*download failed"),
    "a pointer of Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5 file .Keras"),
    "gzip": (b"\x1f\x8b" + bytes(64), "compressed with gzip"),
    "NumPy": (b"\x93NUMPY\x01\0" + bytes(64), "NumPy file, which is unsupported"),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(64), r"an image \(PNG\)"),
    "a tar": (bytes(257) + b"ustar" + bytes(300), "tar archive"),
    "another zip": (b"PK\x05\x06" + bytes(18), "not a torch checkpoint"),
    "half a zip": (archive(w())[:300], "archive is damaged or incomplete"),
    "a pickle of nothing": (pickle.dumps({"w": [1, 2]}, 2), "not one of torch.save"),
}


@pytest.mark.parametrize("what", STRANGERS)
def test_files_of_other_kinds_are_refused_by_what_they_are(what: str, tmp_path: Path) -> None:
    data, reason = STRANGERS[what]
    assert re.search(reason, refusal(data, tmp_path))


@pytest.mark.parametrize("share", [5, 50, 95, 99])
@pytest.mark.parametrize("form", [True, False], ids=["zip", "legacy"])
def test_files_that_were_cut_are_refused(form: bool, share: int, tmp_path: Path) -> None:
    whole = saved(weights(), _use_new_zipfile_serialization=form)
    assert "incomplete" in refusal(whole[: len(whole) * share // 100], tmp_path)


def test_links_and_names_are_looked_at_before_anything_is_opened(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no such files")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("gone")
    for name, reason in {
        "pipe": "not a regular file",
        "loop": "cannot be read",
        "nowhere": "a link to nothing",
    }.items():
        with pytest.raises(SegvizError, match=reason):
            what_is(tmp_path / name)


def test_names_of_tensors_from_strangers_reach_messages_cleaned(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(saved({"a\x1b[31m\u202e<b>": torch.zeros(1), "x" * 5000: torch.zeros(1)}))
    with pytest.raises(SegvizError) as told:
        opened(specs.of_file(path))
    assert "\x1b" not in str(told.value)
    assert "\u202e" not in str(told.value)
    assert len(str(told.value)) <= LONGEST_MESSAGE
    with pytest.raises(SegvizError) as told:
        opened(f"{specs.of_file(path)}?arch=lenet5")
    assert "x" * 200 not in told.value.details
    assert not set("\x1b\u202e") & set(told.value.details)


SEEDS = {form: saved(weights(), _use_new_zipfile_serialization=form == "zip") for form in ("zip", "legacy")}


@settings(max_examples=80)
@given(
    st.sampled_from(sorted(SEEDS)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    st.integers(0, 60),
)
def test_mutants_are_read_or_refused(tmp_path: Path, form: str, changes: list[tuple[float, int]], cut: int) -> None:
    data = bytearray(SEEDS[form])
    for share, value in changes:
        data[int(share * len(data))] = value
    path = tmp_path / "mutant.pth"
    path.write_bytes(data[: len(data) - max(0, cut - 40)])
    found = load("checkpoint", str(path))  # nothing may come out of it but this
    assert found["ok"] or found["message"].startswith("mutant.pth: ")


# ------------------------------------------------------------------------------------------ the adapter


def test_the_adapter_opens_what_is_sound(tmp_path: Path, pictures: dict[str, Path]) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(saved({"model": {f"module.{name}": tensor for name, tensor in weights().items()}}))
    found = load("checkpoint", str(path))
    assert (found["ok"], set(found["keys"])) == (True, set(weights()))
    shown = load("image", str(pictures["rgb.png"]))
    assert (shown["ok"], shown["size"], shown["corners"]) == (True, [16, 24], [[0, 0, 0]] * 4)


def test_the_adapter_refuses_with_a_message(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(saved({name: tensor for name, tensor in weights().items() if name != "head.bias"}))
    assert load("checkpoint", str(path)) == {
        "ok": False,
        "message": "net.pth: these are not the weights of the reference network: missing 'head.bias' (4)",
    }
    path.write_bytes(scripted())
    assert "TorchScript" in load("checkpoint", str(path))["message"]
