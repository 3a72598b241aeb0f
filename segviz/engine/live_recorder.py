"""The recorder for networks whose code asks for values: it writes down what they do with one image, as they do it.

Operations are recorded as ever, and computed besides. What the code reads of the image (a number that it branches on,
an array for numpy) leaves torch, where no record follows it. Behind a number, fields are those of the way that this
image takes; what comes back from an array is a value of this image alone, whose field nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.overrides import TorchFunctionMode

from segviz.core.errors import SegvizError
from segviz.core.field import Status
from segviz.core.regions import Region
from segviz.core.steps import IDENTITY, Window
from segviz.engine.patches import MAPS, Patch, Weights
from segviz.engine.recorder import Recorder, tensors_of
from segviz.engine.uses import Found, Use, hw
from segviz.engine.writes import Unrecorded

ARRAYS = (Tensor.numpy, Tensor.__array__, Tensor.tolist, Tensor.__dlpack__)  # what takes values out of torch, many


@dataclass(frozen=True, eq=False)
class Fixed:
    """What was computed outside torch: the same whole maps, of one image."""

    made: Tensor

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        return self.made


@dataclass(frozen=True, eq=False)
class _Outside(Use):
    """A tensor that comes from outside torch, in place of an operation that made it."""

    @property
    def name(self) -> str:
        return "outside torch"


class LiveRecorder(Recorder):  # type: ignore[no-untyped-call]  # torch has no types for it
    """Records and computes. `decides` is where the code reads values of the image, '' for as long as it reads none."""

    def __init__(self, image: Tensor, state: dict[str, Tensor], own: Iterable[Tensor]) -> None:
        super().__init__(image, state, None)
        self.decides = ""
        self._own = {_memory(tensor) for tensor in own}  # parameters, which nothing may write to
        self._arrays: list[int] = []  # nodes whose values left torch as arrays
        self._constant: set[int] = set()  # tensors of known origin that do not depend on the image
        self._shown: dict[int, list[Tensor]] = {_memory(image): [image]}  # what depends on the image, by its memory
        self._computes = False

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        for tensor in tensors_of((args, kwargs or {})):
            self._meet(tensor)
        return super().__torch_dispatch__(func, types, args, kwargs)

    def took_array(self, tensor: Tensor) -> None:
        """The code takes the values of a tensor out of torch; those of constants are the same for every image."""
        if self._computes:
            return
        self.refresh(tensor)
        if id(tensor) in self.made_by:
            self._read("an array")
            self._arrays.append(self.made_by[id(tensor)])

    def _read(self, what: str) -> None:
        if self.open:
            where = f"at layer '{self.open[-1].name}'"
        else:
            where = f"behind layer '{self.calls[-1].name}'" if self.calls else "before its first layer"
        self.decides = self.decides or f"its code takes {what} from the image's values {where}"

    def _meet(self, tensor: Tensor) -> None:
        """Find out where a tensor comes from that no recorded operation made."""
        if id(tensor) in self.made_by or id(tensor) in self.named or id(tensor) in self._constant:
            return
        self.kept.append(tensor)
        shown = self._shown.get(_memory(tensor), [])
        same = next((other for other in shown if _lies_as(other, tensor)), None)
        if same is not None:  # `x.data`
            self.refresh(same)
            self.made_by[id(tensor)] = self.made_by[id(same)]
        elif shown:
            raise Unrecorded("it takes a part of a tensor in a way that segviz does not see, as .data or .set_ do")
        elif self._arrays:
            self._enter_from_outside(tensor)
        else:
            self._constant.add(id(tensor))

    def _enter_from_outside(self, tensor: Tensor) -> None:
        sources = tuple(dict.fromkeys(self._arrays))
        inputs = tuple(self.values[index] for index in sources)
        use = _Outside(torch.ops.aten.alias.default, {}, {}, (), {}, inputs, tensor)
        axes = MAPS if tensor.dim() == 4 else None
        (rows, columns), keeps = inputs[0].grid, hw(tensor, axes) == inputs[0].grid
        y, x = (IDENTITY, IDENTITY) if keeps else (Window(rows), Window(columns))
        reason = "made of the image outside torch, where nobody can follow it"
        kernel = Fixed(tensor.detach().clone())
        self._add(use, Found(kernel, y, x, axes=axes, whole=True, mixed=True, reason=reason), sources)

    def _has_weights(self, tensors: Iterable[Tensor]) -> bool:
        return any(id(tensor) in self.named for tensor in tensors)

    def _computed(self, func: OpOverload, args: tuple[Any, ...], kwargs: Mapping[str, Any], constant: bool) -> Any:
        self._computes = True  # an operation may be made of numpy inside
        try:
            return func(*args, **kwargs)
        finally:
            self._computes = False

    def _record(self, func: OpOverload, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        depends = self._depends((args, kwargs))
        result = super()._record(func, args, kwargs)
        outputs = list(tensors_of(result))
        for tensor in outputs:
            if id(tensor) in self.made_by:
                self._shown.setdefault(_memory(tensor), []).append(tensor)
            elif id(tensor) not in self.named:
                self._constant.add(id(tensor))
        if depends and (not outputs or torch.Tag.dynamic_output_shape in func.tags):
            self._read("a number" if not outputs else "a size")
        return result

    def _wrote(self, target: Tensor, made: Tensor) -> None:
        if _memory(target) in self._own:
            raise SegvizError("it writes over its own weights while it runs: segviz does not open networks that learn")
        self._own_what_was_taken([target])
        target.copy_(made)
        super()._wrote(target, made)
        self._constant.discard(id(target))
        if id(target) in self.made_by:
            self._shown.setdefault(_memory(target), []).append(target)

    def _add(self, use: Use, found: Found, sources: tuple[int, ...]) -> Tensor:
        if self.decides and not found.reason:
            found = replace(found, reason=self.decides, doubt=Status.DATA)
        return super()._add(use, found, sources)


class Arrays(TorchFunctionMode):
    """Tells a recorder of values that leave torch as arrays, which no operation does."""

    def __init__(self, recorder: LiveRecorder) -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func in ARRAYS:
            self._recorder.took_array(args[0])
        return func(*args, **kwargs or {})


def _memory(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _lies_as(one: Tensor, other: Tensor) -> bool:
    def place(tensor: Tensor) -> tuple[Any, ...]:
        return tensor.storage_offset(), tensor.shape, tensor.stride(), tensor.dtype

    return place(one) == place(other)
