"""Tensors of a file into a network: which belongs where, what is missing or left over, and what was done about it.

Training scripts put a network into others (`module.`, `model.`), so that its tensors have longer names in
the file; such prefixes are looked through. What does not fit is told by name, in full in the details.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segviz.core.errors import SegvizError, clean, shorten
from segviz.engine.safetensor import Header

SHOWN = 3  # tensors that a message names
LONGEST_NAME = 120  # characters of a tensor's name
LONGEST_REPORT = 500  # lines
PREFIXES = ("module.", "model.", "_orig_mod.", "net.", "network.")
MOST_PREFIXES = 4  # one in another
LEAST_SHARE = 0.25  # of the names that have a prefix; fewer are another part of what was trained
COUNTER = "num_batches_tracked"  # of batch normalisation, which inference does not read
AUXILIARY = "aux"  # heads that only help in training begin with it, in torchvision's networks

Headers = Mapping[str, Header]
Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Fit:
    """How the tensors of a file suit a network: the load report.

    `names` maps the network's names to the file's. The others describe tensors that do not suit: `missing`
    from the file, `unexpected` in it, of another shape (`misshaped`), or of another kind of numbers
    (`mistyped`). `prefix` was looked through.
    """

    names: Mapping[str, str]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    misshaped: tuple[str, ...] = ()
    mistyped: tuple[str, ...] = ()
    prefix: str = ""

    @property
    def complete(self) -> bool:
        """Whether every tensor of the network is there."""
        return not (self.missing or self.misshaped or self.mistyped)

    @property
    def surplus(self) -> tuple[str, ...]:
        """What is left over, heads for training not counted."""
        return tuple(told for told in self.unexpected if not told[1:].lower().startswith(AUXILIARY))

    @property
    def fitting(self) -> int:
        """How many fit; counters of batch normalisation do not count, since files may have them or not."""
        return sum(not name.endswith(COUNTER) for name in self.names)

    @property
    def wanted(self) -> int:
        return self.fitting + len(self.missing) + len(self.misshaped) + len(self.mistyped)

    @property
    def share(self) -> float:
        """How well it fits, 0 to 1: tensors that fit, of all that either side has."""
        everything = self.wanted + len(self.surplus)
        return self.fitting / everything if everything else 0.0

    @property
    def resemblance(self) -> float:
        """The same, of tensors that have the right names, whatever their shapes."""
        everything = self.wanted + len(self.surplus)
        return (everything - len(self.missing) - len(self.surplus)) / everything if everything else 0.0

    @property
    def text(self) -> str:
        """In one sentence: '30 of 32 tensors fit'."""
        left = f", {len(self.unexpected)} left over" if self.unexpected else ""
        return f"{self.fitting} of {self.wanted} tensors fit{left}"

    @property
    def closely(self) -> str:
        """The same, with what has the right name alone: '31 of 32 tensors fit; other shape: ...'."""
        wrong = "; ".join(f"{word} {listed(names)}" for word, names in self.faults if word.startswith("other"))
        return f"{self.text}; {wrong}" if wrong else self.text

    @property
    def faults(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        told = (
            ("missing", self.missing),
            ("unexpected", self.unexpected),
            ("other shape:", self.misshaped),
            ("other dtype:", self.mistyped),
        )
        return tuple((word, names) for word, names in told if names)

    @property
    def report(self) -> str:
        """All of it, a line for each tensor, as far as anybody would read."""
        looked = [f"prefix '{self.prefix}' taken off"] if self.prefix else []
        lines = [self.text, *looked, *(f"{word} {name}" for word, names in self.faults for name in names)]
        more = [f"and {len(lines) - LONGEST_REPORT:,} more"] if len(lines) > LONGEST_REPORT else []
        return "\n".join([*lines[:LONGEST_REPORT], *more])


def headers_of(network: nn.Module) -> dict[str, Header]:
    """The tensors that a network wants, without their values."""
    return {name: Header(tuple(own.shape), own.dtype) for name, own in network.state_dict().items()}


def fit(wanted: Headers, given: Headers) -> Fit:
    """How the tensors `given` suit a network that wants others: with the prefix taken off that suits best."""
    prefix, names = max(renamed(given), key=lambda item: len(wanted.keys() & item[1].keys()))
    return _compared(wanted, given, names, prefix)


def renamed(given: Iterable[str]) -> list[tuple[str, dict[str, str]]]:
    """Every prefix that the names of a file may have, the shortest first, and names without it -> the file's names."""
    names = list(given)
    found = [("", {name: name for name in names})]
    prefixes = [""]
    for _ in range(MOST_PREFIXES):
        longer = [shorter + prefix for shorter in prefixes for prefix in PREFIXES]
        counts = {prefix: sum(name.startswith(prefix) for name in names) for prefix in longer}
        prefixes = [prefix for prefix, count in counts.items() if count and count >= LEAST_SHARE * len(names)]
        for prefix in prefixes:
            found.append((prefix, {name.removeprefix(prefix): name for name in names if name.startswith(prefix)}))
    return found


def _compared(wanted: Headers, given: Headers, names: Mapping[str, str], prefix: str) -> Fit:
    fitting, misshaped, mistyped = {}, [], []
    for name in wanted.keys() & names.keys():
        own, its = wanted[name], given[names[name]]
        if own.shape != its.shape and not _is_dense_as_convolution(own, its):
            misshaped.append(f"{_quoted(name)} (shape {_shape(its)}, wanted {_shape(own)})")
        elif own.dtype.is_floating_point != its.dtype.is_floating_point or its.dtype.is_complex:
            mistyped.append(f"{_quoted(name)} ({_dtype(its)}, wanted {_dtype(own)})")
        else:
            fitting[name] = names[name]
    used = {names[name] for name in wanted.keys() & names.keys()}
    return Fit(
        fitting,
        tuple(
            f"{_quoted(name)} ({_shape(own)})"
            for name, own in wanted.items()
            if name not in names and not _counts(name, own)
        ),
        tuple(f"{_quoted(name.removeprefix(prefix))} ({_shape(given[name])})" for name in given if name not in used),
        tuple(sorted(misshaped)),
        tuple(sorted(mistyped)),
        prefix,
    )


def _is_dense_as_convolution(own: Header, its: Header) -> bool:
    """Whether a dense layer (out, C H W) was saved as the convolution (out, C, H, W) that it is."""
    shapes = len(own.shape) == 2 and len(its.shape) == 4
    return shapes and own.shape[0] == its.shape[0] and own.count == its.count


def _counts(name: str, own: Header) -> bool:
    return name.endswith(COUNTER) and not own.shape


def load_into(network: nn.Module, tensors: Tensors, file: str, title: str, strict: bool = True) -> tuple[str, ...]:
    """Give `network` the tensors of `file` in the network's own precision; notes on what was done come back.

    All of its tensors must be there (counters of batch normalisation excepted); with `strict`, no other.
    Raises SegvizError naming what is missing, left over or of another shape; the network is then as it was.
    """
    wanted = headers_of(network)
    found = fit(wanted, {name: Header(tuple(given.shape), given.dtype) for name, given in tensors.items()})
    check(found, file, title, strict)
    own = network.state_dict()
    theirs = {name: tensors[its] for name, its in found.names.items()}
    chosen = {name: given.to(own[name].dtype).reshape(own[name].shape) for name, given in theirs.items()}
    counters = {
        name: torch.zeros((), dtype=header.dtype)
        for name, header in wanted.items()
        if name not in chosen and _counts(name, header)
    }
    network.load_state_dict(_apart(counters | chosen), assign=True)
    for parameter in network.parameters():  # what a file holds may say otherwise
        parameter.requires_grad_(True)
    unset = [name for name, buffer in network.named_buffers() if buffer.is_meta]
    if unset:  # a buffer that no checkpoint holds: the module must make it outside of its constructor
        raise SegvizError(f"{title}: {listed(unset)} did not come with the weights")
    return (*_done(found, theirs, own), *_doubts(chosen))


def _apart(tensors: Tensors) -> dict[str, Tensor]:
    """Each tensor with memory of its own: a small view keeps a large storage alive, two names could share one."""
    storages = Counter(tensor.untyped_storage().data_ptr() for tensor in tensors.values())
    return {
        name: tensor if _is_alone(tensor, storages) else tensor.clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }


def _is_alone(tensor: Tensor, storages: Counter[int]) -> bool:
    storage = tensor.untyped_storage()
    whole = tensor.is_contiguous() and storage.nbytes() == tensor.numel() * tensor.itemsize
    return whole and storages[storage.data_ptr()] == 1


def check(found: Fit, file: str, title: str, strict: bool = True) -> None:
    """Raise SegvizError, with the whole report as its details, where the tensors of `file` do not make the network."""
    faults = [(word, names) for word, names in found.faults if strict or word != "unexpected"]
    if faults:
        told = "; ".join(f"{word} {listed(names)}" for word, names in faults)
        strange = "" if found.names else "no matching tensors, "
        raise SegvizError(f"{file}: these are not the weights of {title}: {strange}{told}", found.report)


def _done(found: Fit, tensors: Tensors, own: Tensors) -> Iterator[str]:
    if found.prefix:
        yield f"the prefix '{found.prefix}' was taken off the names of the tensors"
    converted = sorted({str(given.dtype)[6:] for name, given in tensors.items() if given.dtype != own[name].dtype})
    if converted:
        yield f"numbers of type {', '.join(converted)} were converted to float32"
    flat = [name for name, given in tensors.items() if given.shape != own[name].shape]
    if flat:
        yield f"dense layers that were saved as convolutions were laid flat: {listed(map(repr, flat))}"
    if found.unexpected:
        count = len(found.unexpected)
        many = "tensors were" if count > 1 else "tensor was"
        yield f"{count} unexpected {many} left out: {listed(found.unexpected)}"


def _doubts(tensors: Tensors) -> Iterator[str]:
    """What makes the answers of a network worthless although it runs."""
    strange = [name for name, tensor in tensors.items() if not _finite(tensor)]
    if strange:
        yield f"not finite (NaN or infinite) numbers are in {listed(map(repr, strange))}"
    negative = [name for name, tensor in tensors.items() if name.endswith("running_var") and bool((tensor < 0).any())]
    if negative:
        yield f"a variance is negative, so that answers are not finite: {listed(map(repr, negative))}"


def _finite(tensor: Tensor) -> bool:
    if not tensor.is_floating_point() or not tensor.numel():
        return True
    low, high = torch.aminmax(tensor)
    return bool(torch.isfinite(low)) and bool(torch.isfinite(high))


def _quoted(name: str) -> str:
    """The name of a tensor, which comes from a stranger."""
    return f"'{shorten(clean(name), LONGEST_NAME)}'"


def _shape(header: Header) -> str:
    return "x".join(map(str, header.shape)) or "a number"


def _dtype(header: Header) -> str:
    return str(header.dtype).removeprefix("torch.")


def listed(names: Iterable[str]) -> str:
    """The first names of many."""
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


# --------------------------------------------------------------- dense layers flattened in another order


def channels_first(network: nn.Module, tensors: Tensors, native: tuple[int, int, int]) -> tuple[dict[str, Tensor], str]:
    """`tensors` by the network's names, the dense layers behind a flatten of (H, W, C) reordered to (C, H, W).

    `network` may be without memory; it is followed once on its native input (C, H, W). The second value
    says what was done. Raises SegvizError where no dense layer follows a map.
    """
    changed = dict(tensors)
    found = _behind_maps(network, native)
    if not found:
        raise SegvizError("flatten=hwc: no dense layer of this network follows a flattened map; leave the option out")
    for name, (channels, height, width) in found.items():
        weight = tensors[f"{name}.weight"]
        by_place = weight.reshape(-1, height, width, channels)  # (out, H, W, C)
        changed[f"{name}.weight"] = by_place.permute(0, 3, 1, 2).reshape(weight.shape)
    return changed, f"dense layers flattened in (H, W, C) order were reordered: {listed(found)}"


def _behind_maps(network: nn.Module, native: tuple[int, int, int]) -> dict[str, tuple[int, int, int]]:
    """Dense layers by name -> (C, H, W) of the map that each one takes as one long row."""
    found: dict[str, tuple[int, int, int]] = {}
    names = {module: name for name, module in network.named_modules()}
    last: list[torch.Size] = []

    def before(module: nn.Module, given: tuple[object, ...]) -> None:
        row = given[0]
        if isinstance(row, Tensor) and isinstance(module, nn.Linear) and row.dim() == 2 and last:
            _, channels, height, width = last[-1]
            if height * width > 1 and channels * height * width == row.shape[1]:
                found[names[module]] = (channels, height, width)

    def behind(_: nn.Module, __: object, made: object) -> None:
        if isinstance(made, Tensor) and made.dim() == 4:
            last.append(made.shape)

    leaves = [module for module in network.modules() if not any(True for _ in module.children())]
    hooks = [
        hook
        for module in leaves
        for hook in (module.register_forward_pre_hook(before), module.register_forward_hook(behind))
    ]
    try:
        with torch.inference_mode():
            network(torch.empty(1, *native, device="meta"))
    finally:
        for hook in hooks:
            hook.remove()
    return found
