"""ONNX files from strangers: nothing outside their folder is read, nothing is made that is not there."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

onnx = pytest.importorskip("onnx", reason="ONNX files need the extra onnx")

from onnx import TensorProto, helper  # noqa: E402

from segviz.core.errors import LONGEST_MESSAGE, SegvizError  # noqa: E402
from segviz.engine import devices  # noqa: E402
from segviz.engine.onnx_file import read  # noqa: E402
from tests.engine.onnx_files import model, node, save, weight  # noqa: E402

VALUES = np.arange(4 * 3, dtype=np.float32).reshape(4, 3, 1, 1)
CONV = node("Conv", ["x", "w"], name="conv")


def outside(tmp_path, dims=(4, 3, 1, 1), **facts):
    """A file whose weight lies elsewhere, as `facts` say."""
    tensor = TensorProto(name="w", dims=dims, data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    for key, value in facts.items():
        tensor.external_data.add(key=key, value=str(value))
    folder = tmp_path / "net"
    folder.mkdir(exist_ok=True)
    return save(model([CONV], [tensor]), folder / "net.onnx")


def test_weights_beside_the_file_are_read(tmp_path):
    path = outside(tmp_path, location="weights.bin", offset=8, length=48)
    (path.parent / "weights.bin").write_bytes(bytes(8) + VALUES.tobytes() + bytes(5))
    assert torch.equal(read(path).tensors["w"], torch.from_numpy(VALUES))


@pytest.mark.parametrize(
    "location",
    [
        "../secret.bin",
        "/etc/hostname",
        "sub/weights.bin",
        "..",
        ".",
        "",
        "..\\secret.bin",
        "C:\\secret.bin",
        "C:secret.bin",
    ],
)
def test_weights_outside_the_folder_are_refused(location, tmp_path):
    (tmp_path / "secret.bin").write_bytes(VALUES.tobytes())
    path = outside(tmp_path, location=location)
    (path.parent / "sub").mkdir()
    (path.parent / "sub" / "weights.bin").write_bytes(VALUES.tobytes())
    with pytest.raises(SegvizError, match="outside of the folder") as caught:
        read(path)
    assert len(str(caught.value)) <= LONGEST_MESSAGE


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "secret.bin").write_bytes(VALUES.tobytes())
    path = outside(tmp_path, location="weights.bin")
    try:
        (path.parent / "weights.bin").symlink_to(tmp_path / "secret.bin")
    except OSError:
        pytest.skip("this system lets nobody make links")
    with pytest.raises(SegvizError, match="not a regular file"):
        read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
def test_a_pipe_is_refused_before_it_is_opened(tmp_path):
    path = outside(tmp_path, location="weights.bin")
    os.mkfifo(path.parent / "weights.bin")
    with pytest.raises(SegvizError, match="not a regular file"):
        read(path)
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(SegvizError, match="not a regular file"):
        read(tmp_path / "pipe.onnx")


def test_weights_that_are_gone_are_missed(tmp_path):
    with pytest.raises(SegvizError, match="put it beside the file"):
        read(outside(tmp_path, location="weights.bin"))


@pytest.mark.parametrize(
    "facts",
    [
        {"offset": 8}, {"length": 44}, {"length": 52}, {"offset": -4}, {"offset": "x"}, {"offset": 2**70},
        {"dims": (2**40, 3, 1, 1)}, {"dims": (4, 3, 1, 2)},
    ],
)  # fmt: skip
def test_sizes_that_do_not_fit_are_refused(facts, tmp_path):
    path = outside(tmp_path, location="weights.bin", **facts)
    (path.parent / "weights.bin").write_bytes(VALUES.tobytes())
    with pytest.raises(SegvizError, match="its shape wants"):
        read(path)


@pytest.mark.parametrize("dims", [(2**40, 2**20), (4, 3, 1, 2), (1,)])
def test_a_shape_larger_than_its_data_makes_no_memory(dims, tmp_path):
    tensor = TensorProto(name="w", dims=dims, data_type=TensorProto.FLOAT, raw_data=VALUES.tobytes())
    with pytest.raises(SegvizError, match=r"has 48 bytes of data"):
        read(save(model([CONV], [tensor]), tmp_path / "net.onnx"))
    tensor = TensorProto(name="w", dims=dims, data_type=TensorProto.FLOAT, float_data=VALUES.ravel().tolist())
    with pytest.raises(SegvizError, match="is damaged"):
        read(save(model([CONV], [tensor]), tmp_path / "net.onnx"))


def test_operators_of_others_are_refused(tmp_path):
    made = model([helper.make_node("Run", ["x"], ["y"], domain="com.stranger")])
    with pytest.raises(SegvizError, match=r"com\.stranger"):
        read(save(made, tmp_path / "net.onnx"))


def test_functions_of_the_file_are_put_in_their_place(tmp_path):
    body = [helper.make_node("Relu", ["a"], ["b"])]
    function = helper.make_function("own", "Act", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    made = model([helper.make_node("Act", ["x"], ["y"], domain="own")])
    made.functions.append(function)
    made.opset_import.append(helper.make_opsetid("own", 1))
    assert [one.kind for one in read(save(made, tmp_path / "net.onnx")).nodes] == ["Relu"]


def calls(name, called, times, opset="own"):
    """A function of the file that calls another so many times, one after the other."""
    names = ["a", *(f"t{k}" for k in range(times - 1)), "b"]
    body = [helper.make_node(called, [names[k]], [names[k + 1]], domain=opset) for k in range(times)]
    return helper.make_function(
        "own", name, ["a"], ["b"], body, [helper.make_opsetid("own", 1), helper.make_opsetid("", 17)]
    )


@pytest.mark.parametrize(
    "functions",
    [
        [calls("F0", "F1", 1), calls("F1", "F0", 1)],
        [*(calls(f"F{k}", f"F{k + 1}", 10) for k in range(8)), calls("F8", "Relu", 10, "")],
    ],
    ids=["itself", "a thousand million operations"],
)
def test_functions_that_grow_without_end_are_refused(functions, tmp_path):
    made = model([helper.make_node("F0", ["x"], ["y"], domain="own")])
    made.functions.extend(functions)
    made.opset_import.append(helper.make_opsetid("own", 1))
    with pytest.raises(SegvizError, match="more than 100,000 operations"):
        read(save(made, tmp_path / "net.onnx"))


def test_branches_are_refused(tmp_path):
    branch = helper.make_graph(
        [node("Relu", ["x"], ["z"])], "then", [], [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)]
    )
    made = model([node("If", ["c"], then_branch=branch, else_branch=branch)], [weight("c", np.array(True))])
    with pytest.raises(SegvizError, match="chooses while it runs"):
        read(save(made, tmp_path / "net.onnx"))


@pytest.mark.parametrize(
    ("shape", "kind", "words"),
    [
        ((1, 12), TensorProto.FLOAT, "not images of real numbers"),
        ((1, 3, 8, 8), TensorProto.UINT8, "not images of real numbers"),
        ((8, 3, 8, 8), TensorProto.FLOAT, "takes 8 images at once"),
    ],
)
def test_what_takes_no_single_image_is_refused(shape, kind, words, tmp_path):
    with pytest.raises(SegvizError, match=words):
        read(save(model([CONV], [weight("w", VALUES)], shape, kind=kind), tmp_path / "net.onnx"))


def test_two_inputs_are_named(tmp_path):
    made = model([node("Add", ["x", "mask"])])
    made.graph.input.append(helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 3, 12, 10]))
    with pytest.raises(SegvizError, match=r"takes 2 inputs \(x, mask\)"):
        read(save(made, tmp_path / "net.onnx"))


def test_broken_files_are_one_message(tmp_path):
    path = save(model([CONV], [weight("w", VALUES)]), tmp_path / "net.onnx")
    data = path.read_bytes()
    for length in range(1, len(data), 7):
        path.write_bytes(data[:length])
        with pytest.raises(SegvizError) as caught:
            read(path)
        assert len(str(caught.value)) <= LONGEST_MESSAGE


@pytest.mark.parametrize("kind", ["float16", "float64"])
def test_real_numbers_of_every_width_become_float32(kind, tmp_path):
    path = save(model([CONV], [weight("w", VALUES.astype(kind))]), tmp_path / "net.onnx")
    assert torch.equal(read(path).tensors["w"], torch.from_numpy(VALUES))


def test_tensors_of_more_sides_than_torch_has_are_refused(tmp_path):
    path = save(model([node("Identity", ["x"])], [weight("w", np.zeros((1,) * 64, np.float32))]), tmp_path / "a.onnx")
    found = onnx.load_model(path)
    found.graph.initializer[0].dims.extend([2] * 60_000)
    onnx.save_model(found, path)
    with pytest.raises(SegvizError, match="has 60,064 sides"):
        read(path)


def test_weights_that_do_not_fit_into_memory_are_refused_before_they_are_read(tmp_path, monkeypatch):
    path = outside(tmp_path, location="weights.bin")
    (path.parent / "weights.bin").write_bytes(VALUES.tobytes())
    read(path)
    monkeypatch.setattr(devices, "available_bytes", lambda: 10)
    with pytest.raises(SegvizError, match="take a smaller network"):
        read(path)
