"""Poolings, convolutions, resizes and reshapes that hypothesis draws: torch gives what onnxruntime gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

onnx = pytest.importorskip("onnx", reason="ONNX files need the extra onnx")
runtime = pytest.importorskip("onnxruntime", reason="the operators are compared with onnxruntime")

from segviz.core.errors import SegvizError  # noqa: E402
from segviz.engine.flow import NetworkWeights, finished, run  # noqa: E402
from segviz.engine.graph import trace  # noqa: E402
from segviz.engine.onnx_graph import network_of  # noqa: E402
from tests.engine.foreign import answer  # noqa: E402
from tests.engine.onnx_files import model, node, save, weight  # noqa: E402

SIDES = st.integers(5, 13)  # not 3 or 4, which would be taken for channels that come last
SMALL = st.integers(1, 3)
MANY = settings(deadline=None, max_examples=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx")


def wanted_of(path, image):
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    return runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, {"x": image.numpy()})[
        0
    ]


def compared(folder, nodes, weights, shape, opset=17):
    """Hold a graph against onnxruntime, where neither refuses it: run as a module, and as the record of one."""
    path = save(model(nodes, weights, shape, opset=opset), folder / "net.onnx")
    image = torch.from_numpy(np.random.default_rng(0).standard_normal(shape).astype(np.float32))
    try:
        wanted = wanted_of(path, image)
    except Exception:  # noqa: BLE001  onnxruntime has an exception of its own for each kind of refusal
        assume(False)
    assume(wanted.size)
    network, _ = network_of(path)
    try:
        found = answer(network, image)
    except SegvizError:  # refused by name: tests below and in `test_onnx_graph` say which
        assume(False)
    assert found.shape == wanted.shape
    assert np.allclose(found.numpy(), wanted, atol=1e-4, rtol=1e-3)
    recorded = finished(run(trace(network, shape[1:]), NetworkWeights(network), image)).output
    assert np.allclose(recorded.numpy(), wanted, atol=1e-4, rtol=1e-3)


@st.composite
def pools(draw):
    kernel = [draw(st.integers(1, 4)), draw(st.integers(1, 4))]
    found = {"kernel_shape": kernel, "strides": [draw(SMALL), draw(SMALL)], "ceil_mode": draw(st.integers(0, 1))}
    kind = draw(st.sampled_from(["MaxPool", "AveragePool"]))
    if kind == "MaxPool":
        found["dilations"] = [draw(st.integers(1, 2)), draw(st.integers(1, 2))]  # windows fit into 8 units
    else:
        found["count_include_pad"] = draw(st.integers(0, 1))
    if draw(st.booleans()):
        found["pads"] = [draw(st.integers(0, kernel[place % 2] - 1)) for place in range(4)]
    elif draw(st.booleans()):
        found["auto_pad"] = draw(st.sampled_from(["SAME_UPPER", "SAME_LOWER", "VALID"]))
    return kind, found


@MANY
@example(("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 1, 1], "ceil_mode": 1}), 8, 8)
@example(("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [2, 2, 2, 2]}), 8, 9)
@example(("AveragePool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [2, 2, 2, 2]}), 8, 9)
@given(pools(), st.integers(8, 13), st.integers(8, 13))
def test_pools(folder, pool, height, width):
    kind, attributes = pool
    compared(folder, [node(kind, ["x"], **attributes)], [], (1, 2, height, width), 19)


@MANY
@given(
    st.integers(1, 2), st.tuples(st.integers(1, 4), st.integers(1, 4)), st.tuples(SMALL, SMALL),
    st.tuples(SMALL, SMALL), st.lists(st.integers(0, 3), min_size=4, max_size=4), st.booleans(), SIDES, SIDES,
)  # fmt: skip
def test_convolutions(folder, groups, kernel, stride, dilation, pads, back, height, width):
    values = np.random.default_rng(1).standard_normal((2, 4 // groups, *kernel) if back else (4, 2 // groups, *kernel))
    kind = "ConvTranspose" if back else "Conv"
    made = node(kind, ["x", "w"], group=groups, strides=stride, dilations=dilation, pads=pads)
    compared(folder, [made], [weight("w", values.astype(np.float32))], (1, 2, height, width))


FACTORS = st.sampled_from([2, 3, 4, 0.5, 1.5, 0.7, 1.3, 0.9, 1.4, 0.4, 1 / 3, 1.9, 0.25, 1])


@st.composite
def resizes(draw):
    found = {"mode": draw(st.sampled_from(["nearest", "linear", "cubic"]))}
    places = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]
    found["coordinate_transformation_mode"] = draw(st.sampled_from(places))
    if found["mode"] == "nearest":
        roundings = ["floor", "round_prefer_floor", "round_prefer_ceil", "ceil"]
        found["nearest_mode"] = draw(st.sampled_from(roundings))
    if draw(st.booleans()):
        return found, None, [1, 2, draw(st.integers(1, 24)), draw(st.integers(1, 24))]
    return found, [1, 1, draw(FACTORS), draw(FACTORS)], None


FLOOR = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
TORCH = {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"}


@MANY
@example((FLOOR, [1, 1, 0.4, 0.4], None), 7, 7)
@example((FLOOR, [1, 1, 1.3, 1.3], None), 13, 13)
@example(({"mode": "linear"}, [1, 1, 0.7, 0.7], None), 10, 10)
@example(({"mode": "linear"}, [1, 1, 0.9, 0.9], None), 50, 50)
@example((TORCH, None, [1, 2, 1, 1]), 8, 8)
@example((TORCH, [1, 1, 1.3, 4], None), 5, 10)
@given(resizes(), SIDES, SIDES)
def test_resizes(folder, resize, height, width):
    attributes, scales, sizes = resize
    names = ["x", "", "scales"] if sizes is None else ["x", "", "", "sizes"]
    values = weight(names[-1], np.float32(scales) if sizes is None else np.int64(sizes))
    compared(folder, [node("Resize", names, **attributes)], [values], (1, 2, height, width), 18)


@pytest.mark.parametrize("shape", [[1, -1], [-1, 24], [3, -1], [0, -1], [1, 2, -1], [-1, 6, 10]])
@pytest.mark.parametrize("before", [None, [3, 1, 6, 10], [3, 6, 10], [1, 3, 60]])
def test_reshapes(folder, before, shape):
    """Also of what is no single image any more: a row for each of three maps is not one row."""
    if shape == [-1, 24] and before is not None:
        shape = [-1, 60]
    nodes = [node("Reshape", ["x", "a"], ["s"])] if before else []
    nodes.append(node("Reshape", ["s" if before else "x", "b"]))
    weights = [weight("a", np.int64(before))] if before else []
    path = save(model(nodes, [*weights, weight("b", np.int64(shape))], (1, 3, 6, 10)), folder / "net.onnx")
    image = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 3, 6, 10)).astype(np.float32))
    try:
        wanted = wanted_of(path, image)
    except Exception:  # noqa: BLE001  the shapes do not go together
        pytest.skip("onnxruntime does not take it either")
    found = answer(network_of(path)[0], image)
    assert found.shape == wanted.shape
    assert np.array_equal(found.numpy(), wanted)


@pytest.mark.parametrize(
    ("attributes", "names", "values", "words"),
    [
        ({"mode": "linear", "axes": [2, 3], "keep_aspect_ratio_policy": "not_larger"}, ["x", "", "", "z"],
         np.int64([4, 6]), "aspect ratio"),
        (FLOOR, ["x", "", "z"], np.float32([1, 2, 1, 1]), "images or channels"),
        ({"mode": "linear", "coordinate_transformation_mode": "half_pixel_symmetric"}, ["x", "", "z"],
         np.float32([1, 1, 2, 2]), "half_pixel_symmetric"),
    ],
)  # fmt: skip
def test_resizes_that_are_refused(attributes, names, values, words, tmp_path):
    made = model([node("Resize", names, **attributes)], [weight("z", values)], (1, 3, 8, 8), opset=19)
    with pytest.raises(SegvizError, match=words):
        trace(network_of(save(made, tmp_path / "net.onnx"))[0], (3, 8, 8))
