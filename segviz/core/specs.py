"""Model specs: where a network comes from, and how it is to be read.

A spec is a name of the catalogue, a file, a name of a zoo or Python code, and options in query form:
`vgg16?weights=net.pth`, `net.onnx?labels=names.txt`, `torchvision:resnet18`. The options of `VIEWING` say
how images go in and how classes are called; they change no weight, so that a network need not be
opened again for them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote

from segviz.core.choices import Choice
from segviz.core.errors import UsageError
from segviz.core.formats import MODEL_SUFFIXES

VIEWING = ("input", "channels", "mean", "std", "labels", "multiple", "longest", "minimum")


FILE_OPTIONS = ("weights", "labels")  # whose values are paths of files


class Kind(Choice):
    """Where a network comes from."""

    CATALOGUE = "catalogue", "Catalogue", "a network that segviz brings"
    FILE = "file", "File", "weights, or a program, in a file"
    TORCHVISION = "torchvision", "torchvision", "a network of torchvision, by its name"
    TIMM = "timm", "timm", "a network of timm, by its name"
    SMP = "smp", "segmentation-models-pytorch", "a network of segmentation-models-pytorch: architecture and encoder"
    PYTHON = "python", "Python", "a class or function of your own code, which runs"


ZOOS = (Kind.TORCHVISION, Kind.TIMM, Kind.SMP)
PREFIXED = (*ZOOS, Kind.PYTHON)


@dataclass(frozen=True, slots=True)
class Spec:
    """A model spec taken apart. `name` is what stands before the options, without its prefix: a path for a file."""

    name: str
    options: tuple[tuple[str, str], ...] = ()
    kind: Kind = Kind.CATALOGUE

    def __str__(self) -> str:
        name = quote(self.name, safe=_PLAIN) if self.kind is Kind.FILE else self.name
        head = f"{self.kind.value}:{name}" if self.kind in PREFIXED else name
        query = "&".join(f"{key}={quote(value, safe=_PLAIN)}" for key, value in self.options)
        return f"{head}?{query}" if query else head

    def option(self, key: str) -> str | None:
        return dict(self.options).get(key)

    def without(self, *keys: str) -> Spec:
        return replace(self, options=tuple((key, value) for key, value in self.options if key not in keys))

    def with_option(self, key: str, value: str) -> Spec:
        options = dict(self.without(key).options) | {key: value}
        return replace(self, options=tuple(sorted(options.items())))

    @property
    def opening(self) -> Spec:
        """The same network, as far as its weights are concerned."""
        return self.without(*VIEWING)

    @property
    def path(self) -> Path:
        """The file of a spec that names one."""
        return Path(self.name)

    @property
    def title(self) -> str:
        """What people call it before it is open: the name, or the file's."""
        return self.path.name if self.kind is Kind.FILE else self.name


_PLAIN = "/\\:.,-_~()[]!@$'*;{}|<>\"^`"  # what stays readable in a spec; spaces and '?', '&', '=', '%', '+', '#' do not


def of_file(path: str | Path) -> str:
    """The spec of a file."""
    return str(Spec(str(path), (), Kind.FILE))


def parse(spec: str) -> Spec:
    """Take a model spec apart: `mtcnn_onet?pooling=floor`. Raises UsageError where it is no spec."""
    head, _, query = spec.strip().partition("?")
    if not head:
        raise UsageError("the model spec is empty: give a name, for example lenet5 ('segviz models' lists them)")
    try:
        options = parse_qsl(query.replace("+", "%2B"), strict_parsing=True, keep_blank_values=True) if query else []
    except ValueError:
        raise UsageError(f"'{spec}': options are written name?option=value&option=value") from None
    kind, name = _kind_of(head)
    if not name:
        raise UsageError(f"'{spec}': nothing follows '{kind.value}:'; a name does, for example {EXAMPLES[kind]}")
    return Spec(name, tuple(sorted(options)), kind)


def same_network(one: str, other: str) -> bool:
    """Whether two specs differ in viewing options at most; False where either is no spec."""
    try:
        return parse(one).opening == parse(other).opening
    except UsageError:
        return False


EXAMPLES = {
    Kind.TORCHVISION: "torchvision:resnet18",
    Kind.TIMM: "timm:resnet18",
    Kind.SMP: "smp:unet/resnet18",
    Kind.PYTHON: "python:package.module:callable",
}


def _kind_of(head: str) -> tuple[Kind, str]:
    prefix, colon, rest = head.partition(":")
    for kind in PREFIXED:
        if colon and prefix.lower() == kind.value:
            return kind, rest.strip()
    path = unquote(head)
    if path.lower().endswith(MODEL_SUFFIXES) or "/" in path or "\\" in path:
        return Kind.FILE, path
    return Kind.CATALOGUE, head
