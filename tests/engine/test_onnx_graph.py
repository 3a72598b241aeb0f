"""ONNX graphs run by torch give what onnxruntime gives, operator by operator and on whole networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

onnx = pytest.importorskip("onnx", reason="ONNX files need the extra onnx")
runtime = pytest.importorskip("onnxruntime", reason="the operators are compared with onnxruntime")

from segviz.core.errors import SegvizError  # noqa: E402
from segviz.engine import onnx_words  # noqa: E402
from segviz.engine.graph import describe_layers, first_tensor, trace  # noqa: E402
from segviz.engine.onnx_graph import image_size, network_of  # noqa: E402
from segviz.engine.surgery import convert  # noqa: E402
from tests.engine.foreign import Classifier, Segmenter, answer, image, made  # noqa: E402
from tests.engine.onnx_files import model, node, save, weight  # noqa: E402

RANDOM = np.random.default_rng(0)


def drawn(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


W3, W23 = drawn(4, 3, 3, 3), drawn(3, 2, 3, 3)
ONE = drawn(3, 1, 1)

# name: (operator, further inputs, attributes, opset); the first input is x, (1, 3, 12, 10)
CASES = {
    "conv": ("Conv", [W3, drawn(4)], {"strides": [2, 1], "dilations": [1, 2], "pads": [1, 2, 0, 1]}, 17),
    "conv-groups": ("Conv", [drawn(6, 1, 3, 3)], {"group": 3, "pads": [1, 1, 1, 1]}, 17),
    "conv-same-upper": ("Conv", [W3], {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, 17),
    "conv-same-lower": ("Conv", [drawn(4, 3, 2, 2)], {"auto_pad": "SAME_LOWER"}, 17),
    "transposed": ("ConvTranspose", [W23], {"strides": [2, 2], "pads": [1] * 4, "output_padding": [1, 1]}, 17),
    "transposed-uneven": ("ConvTranspose", [W23], {"strides": [2, 2], "pads": [0, 1, 1, 0]}, 17),
    "max": ("MaxPool", [], {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1]}, 17),
    "max-ceil": ("MaxPool", [], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, 17),
    "average": ("AveragePool", [], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}, 17),
    "average-counts": ("AveragePool", [], {"kernel_shape": [3, 3], "pads": [1, 0, 0, 1], "count_include_pad": 1}, 17),
    "average-uneven": ("AveragePool", [], {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 1, 1]}, 17),
    "global-average": ("GlobalAveragePool", [], {}, 17),
    "global-maximum": ("GlobalMaxPool", [], {}, 17),
    "pad": ("Pad", [ints(0, 0, 1, 2, 0, 0, 0, 1), np.float32(0.5)], {}, 17),
    "pad-reflect": ("Pad", [ints(0, 0, 1, 2, 0, 0, 0, 1)], {"mode": "reflect"}, 17),
    "pad-edge": ("Pad", [ints(0, 0, 1, 2, 0, 0, 3, 1)], {"mode": "edge"}, 17),
    "resize-linear": ("Resize", [None, None, ints(1, 3, 20, 31)], {"mode": "linear"}, 17),
    "resize-scales": ("Resize", [None, np.float32([1, 1, 2, 1.5])], {"mode": "linear"}, 17),
    "resize-corners": (
        "Resize", [None, None, ints(1, 3, 20, 31)],
        {"mode": "linear", "coordinate_transformation_mode": "align_corners"}, 17,
    ),
    "resize-nearest": (
        "Resize", [None, np.float32([1, 1, 2, 3])],
        {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, 17,
    ),
    "resize-nearest-half": ("Resize", [None, np.float32([1, 1, 2, 2])], {"mode": "nearest"}, 17),
    "resize-cubic": ("Resize", [None, None, ints(1, 3, 20, 31)], {"mode": "cubic"}, 17),
    "upsample": ("Upsample", [np.float32([1, 1, 2, 2])], {"mode": "nearest"}, 9),
    "selu-own": ("Selu", [], {"alpha": 1.2, "gamma": 0.8}, 17),
    "prelu-columns": ("PRelu", [drawn(10)], {}, 17),
    "prelu-map": ("PRelu", [drawn(3, 12, 10)], {}, 17),
    "norm-1-of-nothing": ("ReduceL1", [], {"noop_with_empty_axes": 1}, 18),
    "norm-2-of-nothing": ("ReduceL2", [], {"noop_with_empty_axes": 1}, 18),
    "max-overhang": (
        "MaxPool", [], {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 1, 1], "ceil_mode": 1}, 17,
    ),
    "max-wide-pads": ("MaxPool", [], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [2, 2, 2, 2]}, 17),
    "resize-half": ("Resize", [None, np.float32([1, 1, 0.5, 0.5])], {"mode": "nearest"}, 17),
    "space": ("SpaceToDepth", [], {"blocksize": 2}, 17),
    "norm": ("BatchNormalization", [drawn(3), drawn(3), drawn(3), np.abs(drawn(3))], {"epsilon": 1e-3}, 17),
    "instance-norm": ("InstanceNormalization", [drawn(3), drawn(3)], {}, 17),
    "layer-norm": ("LayerNormalization", [drawn(10), drawn(10)], {}, 17),
    "local-norm": ("LRN", [], {"size": 3, "alpha": 0.1}, 17),
    "clip": ("Clip", [np.float32(0), np.float32(6)], {}, 17),
    "clip-low": ("Clip", [np.float32(-0.5)], {}, 17),
    "clip-old": ("Clip", [], {"min": -0.3, "max": 0.4}, 6),
    "leaky": ("LeakyRelu", [], {"alpha": 0.3}, 17),
    "prelu": ("PRelu", [drawn(3, 1, 1)], {}, 17),
    "elu": ("Elu", [], {"alpha": 0.7}, 17),
    "hard-sigmoid": ("HardSigmoid", [], {"alpha": 1 / 6, "beta": 0.5}, 17),
    "hard-sigmoid-default": ("HardSigmoid", [], {}, 17),
    "thresholded": ("ThresholdedRelu", [], {"alpha": 0.2}, 17),
    "add": ("Add", [ONE], {}, 17),
    "sub": ("Sub", [np.float32([2])], {}, 17),
    "mul": ("Mul", [ONE], {}, 17),
    "div": ("Div", [np.abs(ONE) + 1], {}, 17),
    "pow": ("Pow", [np.float32(2)], {}, 17),
    "max-of": ("Max", [ONE], {}, 17),
    "softmax": ("Softmax", [], {"axis": 1}, 17),
    "softmax-old": ("Softmax", [], {"axis": 1}, 11),
    "log-softmax": ("LogSoftmax", [], {"axis": -1}, 17),
    "mean": ("ReduceMean", [], {"axes": [2, 3], "keepdims": 0}, 17),
    "mean-new": ("ReduceMean", [ints(2, 3)], {}, 18),
    "maximum": ("ReduceMax", [], {"axes": [1]}, 17),
    "norm-2": ("ReduceL2", [], {"axes": [1]}, 17),
    "reshape": ("Reshape", [ints(0, -1, 10)], {}, 17),
    "flatten": ("Flatten", [], {}, 17),
    "flatten-2": ("Flatten", [], {"axis": 2}, 17),
    "transpose": ("Transpose", [], {"perm": [0, 2, 3, 1]}, 17),
    "unsqueeze": ("Unsqueeze", [ints(1, 5)], {}, 17),
    "squeeze": ("Squeeze", [ints(0)], {}, 17),
    "slice": ("Slice", [ints(1, 0), ints(2**40, -2), ints(2, 3), ints(2, 1)], {}, 17),
    "slice-back": ("Slice", [ints(-1), ints(-(2**40)), ints(3), ints(-2)], {}, 17),
    "gather": ("Gather", [ints(2, 1, 0)], {"axis": 1}, 17),
    "gather-one": ("Gather", [np.array(-1, np.int64)], {"axis": 2}, 17),
    "expand": ("Expand", [ints(2, 1, 1, 1, 1)], {}, 17),
    "tile": ("Tile", [ints(1, 2, 1, 1)], {}, 17),
    "matmul": ("MatMul", [drawn(10, 4)], {}, 17),
    "identity": ("Identity", [], {}, 17),
} | {
    kind.lower(): (kind, [], {}, 17)
    for kind in ("Relu", "Sigmoid", "Tanh", "HardSwish", "Softplus", "Softsign", "Selu", "Erf", "Exp", "Abs", "Neg",
                 "Floor", "Ceil", "Sign", "Reciprocal", "GlobalAveragePool", "Celu")
}  # fmt: skip


def ran(path, given):
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": given.numpy()})


@pytest.mark.parametrize("case", CASES)
def test_an_operator_gives_what_onnxruntime_gives(case, tmp_path):
    kind, more, attributes, opset = CASES[case]
    names = ["" if values is None else f"w{place}" for place, values in enumerate(more)]
    weights = [weight(name, values) for name, values in zip(names, more, strict=True) if name]
    path = save(model([node(kind, ["x", *names], **attributes)], weights, opset=opset), tmp_path / "net.onnx")
    given = image(3, 12, 10)
    network, _ = network_of(path)
    wanted = ran(path, given)[0]
    found = answer(network, given)
    assert found.shape == wanted.shape
    assert np.allclose(found.numpy(), wanted, atol=2e-5, rtol=1e-4)
    assert trace(network, (3, 12, 10)).calls  # and it can be recorded without values


@pytest.mark.parametrize("block", [1, 2])
@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_becomes_space(mode, block, tmp_path):
    made = node("DepthToSpace", ["x"], blocksize=block, mode=mode)
    path, given = save(model([made], shape=(1, 8, 6, 5)), tmp_path / "net.onnx"), image(8, 6, 5)
    assert np.array_equal(answer(network_of(path)[0], given).numpy(), ran(path, given)[0])


@pytest.mark.parametrize("kind", ["ArgMax", "ArgMin"])
@pytest.mark.parametrize("last", [0, 1])
def test_the_first_or_the_last_of_equal_values(kind, last, tmp_path):
    nodes = [node("Sign", ["x"], ["s"]), node(kind, ["s"], ["i"], axis=1, select_last_index=last)]
    path, given = save(model([*nodes, node("Cast", ["i"], to=1)]), tmp_path / "net.onnx"), image(3, 12, 10) - 0.5
    assert np.array_equal(answer(network_of(path)[0], given).numpy(), ran(path, given)[0])


def test_every_setting_belongs_to_an_operator():
    assert set(onnx_words.SETTINGS) <= set(onnx_words.OPERATORS)


@pytest.mark.parametrize("trans", [0, 1])
def test_a_dense_layer_with_factors(trans, tmp_path):
    dense = drawn(4, 360) if trans else drawn(360, 4)
    nodes = [node("Flatten", ["x"], ["flat"]), node("Gemm", ["flat", "w", "b"], transB=trans, alpha=0.5, beta=2.0)]
    path = save(model(nodes, [weight("w", dense), weight("b", drawn(4))]), tmp_path / "net.onnx")
    given = image(3, 12, 10)
    assert np.allclose(answer(network_of(path)[0], given).numpy(), ran(path, given)[0], atol=1e-4)


def test_several_outputs_and_parts(tmp_path):
    nodes = [node("Split", ["x", "sizes"], ["a", "b"], axis=1), node("Relu", ["b"], ["c"])]
    path = save(model(nodes, [weight("sizes", ints(1, 2))], answers=("a", "c")), tmp_path / "net.onnx")
    given = image(3, 12, 10)
    found = answer(network_of(path)[0], given)
    assert [np.allclose(mine.numpy(), its) for mine, its in zip(found, ran(path, given), strict=True)] == [True, True]
    assert first_tensor(found).shape == (1, 1, 12, 10)


def flattening(tmp_path, shape=(1, 3, 12, 10)):
    """A flatten as exporters write it where sizes are open: a shape that is computed."""
    nodes = [
        node("Conv", ["x", "conv.weight"], ["maps"], name="/conv/Conv"),
        node("Shape", ["maps"], ["sides"], name="sides"),
        node("Gather", ["sides", "zero"], ["batch"], name="batch"),
        node("Unsqueeze", ["batch", "axis"], ["first"], name="first"),
        node("Constant", [], ["rest"], value_ints=[-1]),
        node("Concat", ["first", "rest"], ["shape"], axis=0, name="shape"),
        node("Reshape", ["maps", "shape"], ["flat"], name="flat"),
        node("Gemm", ["flat", "fc.weight", "fc.bias"], transB=1, name="fc.gemm"),
    ]
    weights = [
        weight("conv.weight", W3), weight("zero", np.array(0, np.int64)), weight("axis", ints(0)),
        weight("fc.weight", drawn(5, 4 * 10 * 8)), weight("fc.bias", drawn(5)),
    ]  # fmt: skip
    return save(model(nodes, weights, shape), tmp_path / "net.onnx")


def test_nodes_and_weights_keep_their_names(tmp_path):
    network, graph = network_of(flattening(tmp_path))
    layers = describe_layers(trace(network, (3, 12, 10)))
    assert [(layer.name, layer.type, layer.parameters) for layer in layers] == [
        ("/conv/Conv", "Conv", 108), ("flat", "Reshape", 0), ("fc.gemm", "Gemm", 1605),
    ]  # fmt: skip
    assert [name for name, _ in network.named_parameters()] == ["fc.weight", "fc.bias", "conv.weight"]
    assert sum(parameter.numel() for parameter in network.parameters()) == 1713
    assert image_size(graph) == (3, 12, 10)


def test_a_computed_flatten_becomes_a_convolution(tmp_path):
    path = flattening(tmp_path, (1, 3, "height", "width"))
    network, graph = network_of(path)
    conversion = convert(network, (3, 12, 10))
    assert conversion.max_abs_difference < 1e-4
    assert trace(network, (3, 20, 17), conversion.head).geometry.grid("last") == (9, 8)
    assert image_size(graph) is None


@pytest.mark.parametrize("shape", [[1, 320], [-1, 320], [0, 320]])
def test_a_flatten_of_written_length_becomes_a_convolution(shape, tmp_path):
    nodes = [node("Conv", ["x", "conv"], ["maps"]), node("Reshape", ["maps", "shape"], ["flat"]),
             node("Gemm", ["flat", "fc"], transB=1)]  # fmt: skip
    weights = [weight("conv", W3), weight("shape", ints(*shape)), weight("fc", drawn(5, 320))]
    network, _ = network_of(save(model(nodes, weights), tmp_path / "net.onnx"))
    conversion = convert(network, (3, 12, 10))
    assert conversion.max_abs_difference < 1e-4
    for size in ((20, 17), (22, 18)):  # of no and of a whole number of lengths
        grid = trace(network, (3, *size), conversion.head).geometry.grid("last")
        assert grid == (size[0] - 11, size[1] - 9)


def test_names_that_meet_are_told_apart(tmp_path):
    nodes = [node("Conv", ["x", "a.w"], ["m"], name="a"), node("Relu", ["m"], ["n"], name="a.x"),
             node("Add", ["n", "b"], name="a.w.c")]  # fmt: skip
    path = save(model(nodes, [weight("a.w", W3), weight("b", np.float32([1]))]), tmp_path / "net.onnx")
    network, _ = network_of(path)
    names = [call.name for call in trace(network, (3, 12, 10)).calls]
    assert len(set(names)) == 3
    assert names[0] == "a"
    given = image(3, 12, 10)
    assert np.allclose(answer(network, given).numpy(), ran(path, given)[0], atol=1e-5)


def test_channels_last_are_turned(tmp_path):
    nodes = [node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]), node("Conv", ["t", "w"], ["c"]),
             node("Transpose", ["c"], perm=[0, 2, 3, 1])]  # fmt: skip
    path = save(model(nodes, [weight("w", W3)], (1, 12, 10, 3)), tmp_path / "net.onnx")
    network, graph = network_of(path)
    given = image(3, 12, 10)
    wanted = ran(path, given.permute(0, 2, 3, 1))[0].transpose(0, 3, 1, 2)
    assert np.allclose(answer(network, given).numpy(), wanted, atol=1e-5)
    assert image_size(graph) == (3, 12, 10)


# torch writes ONNX with warnings of its own, which are not about the file.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize(("make", "size"), [(Classifier, (3, 32, 32)), (Segmenter, (3, 24, 32))])
def test_what_torch_exports_gives_the_networks_own_numbers(make, size, dynamo, dynamic, tmp_path):
    if dynamo:
        pytest.importorskip("onnxscript", reason="torch's newer exporter is written with it")
    if dynamic and make is Classifier:
        dynamic = False  # its dense layer takes one size
    network, given, path = made(make()), image(*size), tmp_path / "net.onnx"
    sides = {2: "height", 3: "width"}
    more = {"dynamic_shapes": (sides,)} if dynamo else {"dynamic_axes": {"x": sides}, "input_names": ["x"]}
    torch.onnx.export(network, (given,), path, dynamo=dynamo, verbose=False, **(more if dynamic else {}))
    found, graph = network_of(path)
    assert torch.allclose(answer(found, given), answer(network, given), atol=1e-5)
    assert image_size(graph) == (None if dynamic else size)
    if dynamic:
        other = image(3, 40, 36)
        assert torch.allclose(answer(found, other), answer(network, other), atol=1e-5)


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([node("NonZero", ["x"])], "no rule for: NonZero"),
        ([node("Dropout", ["x"], ["d", "mask"]), node("Cast", ["mask"], to=1)], "result 'mask' is taken"),
        ([node("MaxPool", ["x"], ["p", "y"], kernel_shape=[2, 2])], "'y' is taken.*MaxPool"),
        ([node("Relu", ["nothing"])], "nothing in the graph makes 'nothing'"),
    ],
)
def test_what_cannot_run_is_named(nodes, words, tmp_path):
    with pytest.raises(SegvizError, match=words):
        network_of(save(model(nodes), tmp_path / "net.onnx"))


@pytest.mark.parametrize(
    ("kind", "more", "attributes", "words"),
    [
        ("BatchNormalization", [drawn(3)] * 4, {"training_mode": 1}, "training mode"),
        ("MaxPool", [], {"kernel_shape": [2, 2], "storage_order": 1}, "storage_order"),
        ("MaxPool", [], {"kernel_shape": [2, 2], "dilations": [2, 2], "auto_pad": "SAME_UPPER"}, "auto_pad"),
        ("Resize", [None, np.float32([1, 1, 2, 2])],
         {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}, "asymmetric"),
        ("ConstantOfShape", None, {}, "segviz makes none so large"),
    ],
)  # fmt: skip
def test_what_torch_does_otherwise_is_refused(kind, more, attributes, words, tmp_path):
    if more is None:
        nodes, weights = [node(kind, ["w"], ["c"]), node("Add", ["x", "c"])], [weight("w", ints(2**30, 2**10))]
    else:
        names = ["" if values is None else f"w{place}" for place, values in enumerate(more)]
        weights = [weight(name, values) for name, values in zip(names, more, strict=True) if name]
        nodes = [node(kind, ["x", *names], **attributes)]
    network, _ = network_of(save(model(nodes, weights), tmp_path / "net.onnx"))
    with pytest.raises(SegvizError, match=words):
        trace(network, (3, 12, 10))


GROWN = {
    "repeated": [node("Tile", ["c", "n"], ["t"])],
    "doubled again and again": [node("Concat", [f"d{i}" if i else "c"] * 2, [f"d{i + 1}"], axis=0) for i in range(24)]
    + [node("Identity", ["d24"], ["t"])],
}


@pytest.mark.parametrize("way", GROWN)
def test_constants_that_grow_without_end_are_refused(way, tmp_path):
    """A file of some hundred bytes could fill the memory."""
    nodes = [*GROWN[way], node("ReduceSum", ["t"], ["s"], keepdims=0), node("Add", ["x", "s"])]
    path = save(model(nodes, [weight("c", drawn(64)), weight("n", ints(2**26))]), tmp_path / "net.onnx")
    network, _ = network_of(path)
    with pytest.raises(SegvizError, match=r"'(Tile|Concat)' makes a constant of [\d,]+ numbers"):
        network(torch.zeros(1, 3, 12, 10))
