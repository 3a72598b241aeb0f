"""Files of weights of both torch formats and of safetensors: read as they are, or refused with a reason."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from segviz.core import assets, catalogue
from segviz.core.errors import SegvizError
from segviz.engine import checkpoints, sniff
from segviz.engine.architectures import skeleton
from segviz.engine.checkpoints import READERS, open_checkpoint, read_tensors
from segviz.engine.sniff import WEIGHTS, FileKind, what_is
from segviz.engine.weights import load_into

PNET = assets.weights("mtcnn_pnet.safetensors")


# --------------------------------------------------------------------------------- files that are not


def broken_files() -> dict[str, bytes]:
    whole = PNET.read_bytes()
    length = struct.unpack("<Q", whole[:8])[0]
    return {
        "empty": b"",
        "short": whole[:7],
        "text": b"these are not weights\n" * 40,
        "pickle": pickle.dumps({"conv1.weight": [0.0] * 200}, 2),
        "zip": b"PK\x03\x04" + bytes(600),
        "huge header": struct.pack("<Q", 2**62) + b"{" + whole[9:],
        "header past the end": struct.pack("<Q", 90_000_000) + whole[8:],
        "cut in the header": whole[: 8 + length // 2],
        "cut in the tensors": whole[:-1],
        "one byte more": whole + b"\0",
        "broken JSON": whole[:9] + b"{" + whole[10:],
    }


@pytest.mark.parametrize("kind", broken_files())
def test_broken_files_are_refused_with_their_name(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    file.write_bytes(broken_files()[kind])
    with pytest.raises(
        SegvizError,
        match=r"^net\.safetensors: (not safetensors or damaged|damaged or incomplete safetensors|the file is empty|"
        r"unsafe|the archive is damaged|a pickle, but not one of torch)",
    ):
        read_tensors(file)


def test_missing_files_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SegvizError, match=r"gone\.safetensors: not found, there is no such file"):
        read_tensors(tmp_path / "gone.safetensors")
    with pytest.raises(SegvizError, match="a folder; choose the file"):
        read_tensors(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.safetensors")  # opening it would wait for ever
        with pytest.raises(SegvizError, match=r"pipe\.safetensors: not a regular file"):
            read_tensors(tmp_path / "pipe.safetensors")


def test_a_file_over_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sniff, "LARGEST_FILE", PNET.stat().st_size - 1)
    with pytest.raises(SegvizError, match="segviz reads weights of up to"):
        read_tensors(PNET)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=8), st.integers(0, 9))
def test_mutants_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(PNET.read_bytes())
    for place, value in changes:
        data[place] = value
    file = tmp_path_factory.mktemp("mutant") / "mutant.safetensors"
    file.write_bytes(data[: len(data) - (cut if cut < 3 else 0)])
    network = skeleton(catalogue.entry("mtcnn_pnet"))
    message = ""
    try:
        load_into(network, read_tensors(file), file.name, "P-Net")
    except SegvizError as error:  # nothing else may come out
        message = str(error)
    refused = message.startswith("mutant.safetensors: ")
    assert {p.is_meta for p in network.parameters()} == {refused}


def test_nothing_can_unpickle_a_program_once_this_room_is_open() -> None:
    code = "import os, segviz.engine.checkpoints; print(os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'])"
    environment = {k: v for k, v in os.environ.items() if k != "TORCH_FORCE_WEIGHTS_ONLY_LOAD"}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "1"


def test_every_kind_of_weights_has_a_reader() -> None:
    assert set(READERS) == set(WEIGHTS)


# ------------------------------------------------------------------------------------- files that are


def state_dict() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {
        "conv.weight": torch.rand(4, 3, 3, 3),
        "conv.bias": torch.rand(4).half(),
        "norm.running_mean": torch.rand(4, dtype=torch.float64),
        "norm.num_batches_tracked": torch.tensor(7),
        "dense.weight": torch.rand(6, 5).bfloat16().t(),
        "eight": torch.rand(3).to(torch.float8_e4m3fn),
        "empty": torch.zeros(0, 3),
    }


FORMS = {
    "safetensors": FileKind.SAFETENSORS,
    "zip": FileKind.ARCHIVE,
    "legacy": FileKind.PICKLE,
}


def saved(path: Path, form: str, value: object) -> Path:
    if form == "safetensors":
        save_file({name: tensor.contiguous() for name, tensor in value.items()}, path, {"format": "pt"})
    else:
        torch.save(value, path, _use_new_zipfile_serialization=form == "zip")
    return path


@pytest.mark.parametrize("form", FORMS)
def test_tensors_are_described_before_they_are_read_and_then_read_as_they_are(form: str, tmp_path: Path) -> None:
    tensors = state_dict()
    if form == "legacy":
        del tensors["eight"]  # that format has no such type
    path = saved(tmp_path / "named-like-nothing", form, tensors)
    assert what_is(path) is FORMS[form]
    checkpoint = open_checkpoint(path)
    described = {name: (header.shape, header.dtype) for name, header in checkpoint.headers.items()}
    assert described == {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()}
    assert checkpoint.size == sum(tensor.numel() * tensor.itemsize for tensor in tensors.values())
    read = checkpoint.read()
    assert read.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert read[name].dtype == tensor.dtype
        assert torch.equal(read[name].double(), tensor.double()), name


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_every_protocol_of_pickles_is_understood(form: str, protocol: int, tmp_path: Path) -> None:
    value = {"state_dict": {"w": torch.arange(6.0).view(2, 3)}, "epoch": 3, "name": "é", "lr": [0.1, None, True, 2**70]}
    torch.save(value, tmp_path / "net.pth", pickle_protocol=protocol, _use_new_zipfile_serialization=form == "zip")
    assert read_tensors(tmp_path / "net.pth")["w"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("protocol", [4, 5])
def test_protocols_that_torch_does_not_read_are_named(protocol: int, tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(2)}, tmp_path / "net.pth", pickle_protocol=protocol)
    with pytest.raises(SegvizError, match=rf"net\.pth: a pickle of protocol {protocol}, .*save it by torch\.save"):
        read_tensors(tmp_path / "net.pth")


def optimizer() -> dict[str, object]:
    parameter = torch.nn.Parameter(torch.zeros(3))
    parameter.grad = torch.ones(3)
    adam = torch.optim.Adam([parameter])
    adam.step()
    return adam.state_dict()


WRAPPED = {
    "bare": lambda sd: sd,
    "state_dict": lambda sd: {"state_dict": sd, "epoch": 3},
    "model": lambda sd: {"model": sd, "optimizer": optimizer(), "args": {"lr": 0.1}},
    "model_state_dict": lambda sd: {"epoch": 3, "model_state_dict": sd, "optimizer_state_dict": optimizer()},
    "twice": lambda sd: {"model": {"state_dict": sd}},
    "four times": lambda sd: {"model": {"net": {"module": {"state_dict": sd}}}},
    "ema alone": lambda sd: {"ema": sd, "decay": 0.99},
    "a name of its own": lambda sd: {"generator": sd, "step": 3},
    "lightning": lambda sd: {"state_dict": sd, "callbacks": {}, "optimizer_states": [optimizer()], "loops": {}},
    "parameters": lambda sd: {name: torch.nn.Parameter(tensor) for name, tensor in sd.items()},
    "with extra state": lambda sd: {**sd, "norm._extra_state": None},
}


@pytest.mark.parametrize("form", ["zip", "legacy"])
@pytest.mark.parametrize("wrapping", WRAPPED)
def test_state_dicts_are_found_in_what_training_scripts_save(wrapping: str, form: str, tmp_path: Path) -> None:
    tensors = {"a.weight": torch.rand(2, 3), "a.bias": torch.rand(2)}
    path = saved(tmp_path / "net.ckpt", form, WRAPPED[wrapping](tensors))
    read = read_tensors(path)
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items())
    assert read.keys() == tensors.keys()
    assert not any(tensor.requires_grad for tensor in read.values())


def test_averaged_weights_beside_the_others_are_told(tmp_path: Path) -> None:
    value = {"state_dict": {"w": torch.zeros(2)}, "state_dict_ema": {"w": torch.ones(2)}}
    checkpoint = open_checkpoint(saved(tmp_path / "net.pth", "zip", value))
    assert checkpoint.read()["w"].sum() == 0
    assert checkpoint.notes == ("taken from 'state_dict'; averaged weights are in 'state_dict_ema' and left aside",)


def test_weights_saved_on_an_accelerator_come_to_the_processor(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pth", "legacy", {"w": torch.arange(4.0)})
    path.write_bytes(path.read_bytes().replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"))
    tensor = read_tensors(path)["w"]
    assert (tensor.device.type, tensor.tolist()) == ("cpu", [0, 1, 2, 3])


def test_an_archive_without_checksums_is_read(tmp_path: Path) -> None:
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"w": torch.arange(4.0)}, tmp_path / "net.pth")
    finally:
        torch.serialization.set_crc32_options(before)
    assert read_tensors(tmp_path / "net.pth")["w"].tolist() == [0, 1, 2, 3]


def test_what_does_not_fit_into_memory_is_refused_with_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "net.pth", "zip", {"w": torch.zeros(1 << 20)})
    monkeypatch.setattr(checkpoints.devices, "available_bytes", lambda: 1 << 20)
    with pytest.raises(SegvizError, match=r"net\.pth needs about 0\.0 GiB, and 0\.0 GiB are free"):
        read_tensors(path)


def test_a_program_is_no_file_of_weights(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("raise SystemExit\n")
    with pytest.raises(SegvizError, match=r"net\.py: a program \(Python file\)"):
        read_tensors(tmp_path / "net.py")
