from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segviz.core import assets, catalogue
from segviz.core.errors import SegvizError
from segviz.engine import checkpoints
from segviz.engine.checkpoints import READERS, build, load_into, read_tensors, skeleton
from segviz.models.mtcnn import PNet

PNET = assets.weights("mtcnn_pnet.safetensors")


# Of the networks with random weights AlexNet alone: a VGG has half a gigabyte of them, drawn by the same rule.
BUILT = [e.name for e in catalogue.ENTRIES if e.trained] + ["mtcnn_onet?pooling=floor", "alexnet", "nin", "segnet"]
BUILT += ["unet", "fcn8s-efficientnet_lite0"]


@pytest.mark.parametrize("spec", BUILT)
def test_build_gives_a_network_ready_to_run(spec: str) -> None:
    entry, network = build(spec)
    assert entry == catalogue.entry(spec)
    assert not any(module.training for module in network.modules())
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert not any(t.is_meta for t in (*network.parameters(), *network.buffers()))
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == entry.parameters


def test_options_of_the_spec_reach_the_network() -> None:
    _, floor = build("mtcnn_rnet?pooling=floor")
    _, ceil = build("mtcnn_rnet")
    assert not floor.get_submodule("pool1").ceil_mode
    assert ceil.get_submodule("pool1").ceil_mode


def test_building_draws_no_random_numbers() -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    build("mtcnn_onet")
    assert torch.equal(torch.rand(4), expected)


def test_two_networks_of_one_spec_share_nothing() -> None:
    (_, one), (_, other) = build("lenet5"), build("lenet5")
    with torch.no_grad():
        one.get_parameter("c1.weight").zero_()
    assert other.get_parameter("c1.weight").abs().sum() > 0


def test_weights_are_those_of_the_file_and_half_precision_becomes_float32() -> None:
    tensors = safetensors.torch.load_file(assets.weights("selfie_general.safetensors"))
    assert tensors["aspp.weight"].dtype == torch.float16
    _, network = build("selfie_general")
    for name, tensor in tensors.items():
        assert torch.equal(network.get_parameter(name), tensor.float()), name


@pytest.mark.parametrize("spec", ["quux", "lenet5?pooling=floor", "mtcnn_rnet?pooling=round"])
def test_unknown_specs_are_refused(spec: str) -> None:
    with pytest.raises(SegvizError, match=r"there are|its options"):
        build(spec)


# --------------------------------------------------------------------------------- files that are not


def broken_files() -> dict[str, bytes]:
    whole = PNET.read_bytes()
    length = struct.unpack("<Q", whole[:8])[0]
    return {
        "empty": b"",
        "short": whole[:7],
        "text": b"these are not weights\n" * 40,
        "pickle": pickle.dumps({"conv1.weight": [0.0] * 200}),
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
        SegvizError, match=r"^net\.safetensors: (not a file of weights|this safetensors file is broken)"
    ):
        read_tensors(file)


def test_missing_files_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SegvizError, match=r"gone\.safetensors: there is no such file"):
        read_tensors(tmp_path / "gone.safetensors")
    with pytest.raises(SegvizError, match="not a regular file"):
        read_tensors(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.safetensors")  # opening it would wait for ever
        with pytest.raises(SegvizError, match=r"pipe\.safetensors: not a regular file"):
            read_tensors(tmp_path / "pipe.safetensors")


def test_a_file_over_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "LARGEST_FILE", PNET.stat().st_size - 1)
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


def test_every_reader_knows_its_own_files() -> None:
    for path in (PNET, assets.weights("lenet5.safetensors")):
        head = path.read_bytes()[: checkpoints.HEAD]
        assert [name for name, reader in READERS.items() if reader.matches(path, head)] == ["safetensors"]


# ----------------------------------------------------------------------------------- wrong weights


def tensors_of_pnet() -> dict[str, torch.Tensor]:
    return read_tensors(PNET)


def refusal(tensors: dict[str, torch.Tensor]) -> SegvizError:
    torch.manual_seed(0)
    network = PNet()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(SegvizError) as caught:
        load_into(network, tensors, "net.safetensors", "MTCNN P-Net")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    return caught.value


def test_missing_tensors_are_named_with_their_shape() -> None:
    tensors = tensors_of_pnet()
    del tensors["cls.weight"]
    assert str(refusal(tensors)) == (
        "net.safetensors: these are not the weights of MTCNN P-Net: no tensor 'cls.weight' (2x32x1x1)"
    )


def test_tensors_left_over_are_named() -> None:
    assert "unexpected 'extra' (3)" in str(refusal({**tensors_of_pnet(), "extra": torch.zeros(3)}))


def test_tensors_of_another_shape_are_named_with_both() -> None:
    message = str(refusal({**tensors_of_pnet(), "cls.weight": torch.zeros(2, 32)}))  # as many numbers, as a dense layer
    assert "'cls.weight' (2x32, wanted 2x32x1x1)" in message


def test_whole_numbers_are_not_weights() -> None:
    message = str(refusal({**tensors_of_pnet(), "conv1.bias": torch.zeros(10, dtype=torch.int32)}))
    assert "'conv1.bias' (int32, wanted float32)" in message


def test_long_lists_are_shortened_and_kept_in_the_details() -> None:
    error = refusal(read_tensors(assets.weights("mtcnn_onet.safetensors")))
    assert "more" in str(error)
    assert "'landmarks.weight' (10x256)" in error.details
    assert "'cls.weight' (2x256, wanted 2x32x1x1)" in error.details
