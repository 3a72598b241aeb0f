"""ONNX files that tests make node by node. Importing it needs the package onnx."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def node(kind, inputs, outputs=("y",), name="", **attributes):
    return helper.make_node(kind, list(inputs), list(outputs), name=name, **attributes)


def weight(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


def model(nodes, weights=(), shape=(1, 3, 12, 10), answers=("y",), opset=17, kind=TensorProto.FLOAT, **more):
    """A file that takes `x` of `shape`, None or a word where a side is any."""
    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info("x", kind, list(shape))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in answers],
        list(weights),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, **more)


def save(made, path):
    onnx.save_model(made, path)
    return path
