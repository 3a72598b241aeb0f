"""TorchScript archives as modules of Python: the graph of every method, run operation by operation.

A module of TorchScript takes no hooks and cannot be given other tensors, so that the recorder
(`engine/graph`) would see nothing of it. Here each of its modules becomes an `nn.Module` of the same
name with the same tensors, whose methods walk over the archive's graphs and call PyTorch's operations.
What one graph calls (its submodules, functions of the archive) is called in the same way.

A graph that holds no submodules (a frozen archive) has its operations as layers instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from segviz.core.errors import SegvizError, named
from segviz.engine.layers import Layer, hold, titled
from segviz.engine.script_words import BUILTINS, operation

LARGEST_GRAPH = 1_000_000  # operations of an archive

Values = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Step:
    """One operation of a graph: `run` takes the values by name and enters what it makes."""

    run: Callable[[Values], None]


@dataclass(frozen=True, eq=False)
class Body:
    """A graph, or a block of one: names of what it is given, its steps, names of what it answers."""

    given: tuple[str, ...]
    steps: tuple[Step, ...]
    answers: tuple[str, ...]

    def __call__(self, values: Values, *args: Any) -> tuple[Any, ...]:
        values.update(zip(self.given, args, strict=True))
        for step in self.steps:
            step.run(values)
        return tuple(values[name] for name in self.answers)


class Scripted(nn.Module):
    """One module of an archive. `bodies` has its methods by name; `facts` its attributes that are no tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: dict[str, Body] = {}
        self.facts: dict[str, Any] = {}

    def forward(self, *args: Any) -> Any:
        return self.called("forward", args)

    def called(self, method: str, args: Sequence[Any]) -> Any:
        """The answer of one of its methods."""
        body = self.bodies[method]
        given = [*args, *([None] * (len(body.given) - 1 - len(args)))]
        return body({}, self, *given)[0]

    def attribute(self, name: str) -> Any:
        """A tensor, a submodule or a plain value by its name in the archive."""
        for held in (self._parameters, self._buffers, self._modules):
            if name in held:
                return held[name]
        return self.facts[name]


def read(path: Path, content: bytes) -> nn.Module:
    """The network of a TorchScript archive, float32 and in eval mode. The caller has asked for trust in `content`.

    Raises SegvizError where the archive cannot be read, or uses what there is no rule for.
    """
    unit = torch._C.CompilationUnit()
    try:
        place: Any = torch.device("cpu")
        archive = torch._C.import_ir_module_from_buffer(unit, content, place, {}, False)  # type: ignore[arg-type,call-arg]
    except Exception as error:  # the edge: what a broken archive raises is not documented
        reason = str(error).strip().split("\n")[0]
        raise SegvizError(f"{named(path)}: this TorchScript archive is damaged ({reason}); save it again") from error
    network = _Reader(unit).module(archive)
    return network.float().eval()


class _Reader:
    """Makes modules of one archive; functions and shared tensors are made once."""

    def __init__(self, unit: Any) -> None:
        self._unit = unit
        self._functions: dict[str, Body] = {}
        self._shared: dict[int, nn.Parameter] = {}
        self._steps = 0

    def module(self, script: Any, root: bool = True) -> Scripted:
        made = Scripted()
        children = torch._C.ModuleDict(script).items()
        for name, child in children:
            made._modules[name] = self.module(child, False)
        for name, tensor in _tensors(torch._C.ParameterDict(script)):
            made._parameters[name] = self._parameter(tensor)
        for name, tensor in _tensors(torch._C.BufferDict(script)):
            made.register_buffer(name, tensor)
        for method in script._method_names():
            self._method(made, script, method, layered=root and not children)
        return titled(made, str(script._type().name()).split(".")[-1])

    def _parameter(self, tensor: Tensor) -> nn.Parameter:
        key = tensor.data_ptr() if tensor.numel() else id(tensor)
        kept = self._shared.get(key)
        if kept is None or kept.shape != tensor.shape or kept.stride() != tensor.stride():
            kept = self._shared[key] = nn.Parameter(tensor.detach(), tensor.is_floating_point())
        return kept

    def _method(self, made: Scripted, script: Any, name: str, layered: bool) -> None:
        made.bodies[name] = _Writer(self, made, script, layered).body(script._get_method(name).graph)

    def function(self, name: str) -> Body:
        """A function of the archive by its full name."""
        if name not in self._functions:
            found = self._unit.find_function(name)
            if found is None:
                raise SegvizError(f"the archive calls a function {name} that is not in it; save it again")
            self._functions[name] = _Writer(self, None, None, False).body(found.graph)
        return self._functions[name]

    def count(self) -> int:
        self._steps += 1
        if self._steps > LARGEST_GRAPH:
            raise SegvizError(f"the archive has more than {LARGEST_GRAPH:,} operations; segviz reads no more")
        return self._steps


class _Writer:
    """Makes the body of one graph of `owner`, or of a function where that is None."""

    def __init__(self, reader: _Reader, owner: Scripted | None, script: Any, layered: bool) -> None:
        self._reader = reader
        self._owner = owner
        self._script = script
        self._layered = layered
        self._held: dict[str, tuple[nn.Module, str]] = {}

    def body(self, graph: Any) -> Body:
        steps = tuple(Step(self._step(node)) for node in graph.nodes())
        outputs = graph.return_node().inputs() if hasattr(graph, "return_node") else graph.outputs()
        return Body(_names(graph.inputs()), steps, _names(outputs))

    def _step(self, node: Any) -> Callable[[Values], None]:
        self._reader.count()
        writer = STEPS.get(node.kind())
        return writer(self, node) if writer is not None else self._call(node)

    def _call(self, node: Any) -> Callable[[Values], None]:
        """An operation of PyTorch or of Python's numbers and lists."""
        inputs, outputs = _names(node.inputs()), _names(node.outputs())
        func = BUILTINS.get(node.kind()) or operation(node)
        made = [str(value.type()) for value in node.outputs()]
        if self._layered and self._owner is not None and made == ["Tensor"] and node.kind().startswith("aten::"):
            func = self._layer(node, func, inputs)

        def run(values: Values) -> None:
            made = func(*(values[name] for name in inputs))
            if len(outputs) == 1:
                values[outputs[0]] = made
            elif outputs:
                values.update(zip(outputs, made, strict=True))

        return run

    def _layer(self, node: Any, func: Callable[..., Any], inputs: tuple[str, ...]) -> Callable[..., Any]:
        assert self._owner is not None
        kind = node.kind().partition("::")[2].strip("_") or "operation"
        number = sum(name.startswith(f"{kind}_") for name in self._owner._modules) + 1
        layer = titled(Layer(func, [self._held[name] for name in inputs if name in self._held]), kind)
        self._owner._modules[f"{kind}_{number}"] = layer
        return layer

    # ------------------------------------------------------------------ what is no operation

    def constant(self, node: Any) -> Callable[[Values], None]:
        name = node.output().debugName()
        value = node.output().toIValue()
        if isinstance(value, Tensor) and value.dim() and self._owner is not None:
            return self._kept(name, value)
        return lambda values: values.__setitem__(name, value)

    def _kept(self, name: str, value: Tensor) -> Callable[[Values], None]:
        """A tensor that a graph holds itself goes with the module's own: to its device, into its precision."""
        assert self._owner is not None
        word = name.removeprefix("self.").replace(".", "_")
        while hasattr(self._owner, word):
            word += "_"
        held = hold(self._owner, word, value, self._layered and value.is_floating_point())
        self._held[name] = held
        return lambda values: values.__setitem__(name, getattr(*held))

    def attribute(self, node: Any) -> Callable[[Values], None]:
        source, name, out = node.input().debugName(), node.s("name"), node.output().debugName()
        if self._owner is not None and str(node.input().type()) == str(self._script._type()):
            self._enter(name)
        return lambda values: values.__setitem__(out, values[source].attribute(name))

    def _enter(self, name: str) -> None:
        """An attribute that is neither parameter nor buffer nor module, as it lies in the archive."""
        owner = self._owner
        assert owner is not None
        if name in owner._parameters or name in owner._buffers or name in owner._modules or name in owner.facts:
            return
        value = self._script.getattr(name)
        if isinstance(value, Tensor):
            owner.register_buffer(name, value.detach(), persistent=False)
        else:
            owner.facts[name] = value

    def method(self, node: Any) -> Callable[[Values], None]:
        name = node.s("name")
        target, *rest = _names(node.inputs())
        out = node.output().debugName()

        def run(values: Values) -> None:
            module, args = values[target], [values[given] for given in rest]
            values[out] = module(*args) if name == "forward" else module.called(name, args)

        return run

    def function(self, node: Any) -> Callable[[Values], None]:
        target, *rest = node.inputs()
        body, inputs, out = self._reader.function(str(target.type())), _names(rest), node.output().debugName()
        return lambda values: values.__setitem__(out, body({}, *(values[name] for name in inputs))[0])

    def branch(self, node: Any) -> Callable[[Values], None]:
        condition, outputs = node.input().debugName(), _names(node.outputs())
        then, other = (self.body(block) for block in node.blocks())

        def run(values: Values) -> None:
            values.update(zip(outputs, (then if values[condition] else other)(values), strict=True))

        return run

    def loop(self, node: Any) -> Callable[[Values], None]:
        most, condition, *carried = _names(node.inputs())
        outputs = _names(node.outputs())
        (block,) = (self.body(block) for block in node.blocks())

        def run(values: Values) -> None:
            state, goes_on, turn = [values[name] for name in carried], values[condition], 0
            while goes_on and turn < values[most]:
                goes_on, *state = block(values, turn, *state)
                turn += 1
            values.update(zip(outputs, state, strict=True))

        return run


STEPS: dict[str, Callable[[_Writer, Any], Callable[[Values], None]]] = {
    "prim::Constant": _Writer.constant,
    "prim::GetAttr": _Writer.attribute,
    "prim::CallMethod": _Writer.method,
    "prim::CallFunction": _Writer.function,
    "prim::If": _Writer.branch,
    "prim::Loop": _Writer.loop,
}


def _tensors(held: Any) -> list[tuple[str, Tensor]]:
    return list(held.items())


def _names(values: Any) -> tuple[str, ...]:
    return tuple(value.debugName() for value in values)
