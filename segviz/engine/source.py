"""Networks that Python makes: a callable of a module, or a file. Whoever calls this has asked for trust."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.abc import SourceLoader
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import torch
from torch import nn

from segviz.core.errors import SegvizError, UsageError, clean, named

USUAL = ("model", "build", "net", "create_model")  # what a function that makes the network is called
COUNTS = ("num_classes", "classes", "n_classes")  # what its argument for the number of classes is called
SEED = 0
SEEN = "__segviz_content__"  # of a module: the hash of the code that it was made of

Answer = TypeVar("Answer")


def of_module(name: str, path: Path, code: bytes, classes: int | None) -> nn.Module:
    """The network that `package.module:callable` makes; modules of the current folder are found too.

    `code` is what the module's file, `path`, holds: a module that was imported from other code before is
    imported again.
    """
    module_name, colon, wanted = name.partition(":")
    if not colon or not wanted or not module_name:
        raise UsageError(f"python:{name}: name a module and what to call in it, as python:package.module:callable")
    with _found_in(Path.cwd()):
        module = _run(name, lambda: _imported(module_name, path, code))
        return _made(name, _attribute(module, wanted, name), classes)


class _Given(SourceLoader):
    """Loads one module from code that is at hand: neither the file nor what Python keeps of it compiled is read."""

    def __init__(self, path: Path, code: bytes) -> None:
        self._path, self._code = path, code

    def get_filename(self, fullname: str) -> str:
        return str(self._path)

    def get_data(self, path: str | bytes) -> bytes:
        return self._code


def _imported(name: str, path: Path, code: bytes) -> ModuleType:
    """The module of that name, made of `code`; the packages that it lies in are imported as always."""
    seen = hashlib.sha256(code).hexdigest()
    there = sys.modules.get(name)
    if there is not None and getattr(there, SEEN, None) == seen:
        return there
    package = name.rpartition(".")[0]
    if package:
        importlib.import_module(package)
    module = _made_of(name, path, code)
    setattr(module, SEEN, seen)
    if package:
        setattr(sys.modules[package], name.rpartition(".")[2], module)
    return module


def _made_of(name: str, path: Path, code: bytes) -> ModuleType:
    """Run `code` as the module `name` of the file `path`; a module that fails is not kept."""
    inside = [str(path.parent)] if path.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(
        name, path, loader=_Given(path, code), submodule_search_locations=inside
    )
    if spec is None or spec.loader is None:
        raise SegvizError(f"{named(path)}: not a file of Python code; its name ends in .py")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module  # dataclasses and pickling look a module up by its name
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before
        raise
    return module


def of_file(path: Path, code: bytes, wanted: str | None, classes: int | None) -> nn.Module:
    """The network that a file makes: by `wanted`, a function of a usual name, or its only class."""
    with _found_in(path.absolute().parent):
        name = f"segviz_source_{hashlib.sha256(code).hexdigest()[:16]}"  # run once for each content
        module = _run(named(path), lambda: _made_of(name, path, code))
        maker = _attribute(module, wanted, named(path)) if wanted else _only_maker(module, path)
        return _made(named(path), maker, classes)


def _only_maker(module: ModuleType, path: Path) -> Any:
    usual = next((getattr(module, name) for name in USUAL if hasattr(module, name)), None)
    if usual is not None:
        return usual
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == module.__name__
    ]
    if len(classes) == 1:
        return classes[0]
    found = ", ".join(made.__name__ for made in classes[:6]) or "none"
    raise SegvizError(
        f"{named(path)}: which of its networks is meant? Say it with ?callable=NAME. Subclasses of nn.Module in it: "
        f"{found}; no function {', '.join(USUAL[:-1])} or {USUAL[-1]}"
    )


def _attribute(module: ModuleType, wanted: str, where: str) -> Any:
    found: Any = module
    for word in wanted.split("."):
        if not hasattr(found, word):
            raise SegvizError(f"{where}: there is no '{clean(wanted)}' in it")
        found = getattr(found, word)
    return found


def _made(where: str, maker: Any, classes: int | None) -> nn.Module:
    """The network that `maker` is or makes; what it draws at random is the same every time."""
    if isinstance(maker, nn.Module):
        network: Any = maker
    elif callable(maker):
        network = _run(where, lambda: _called(maker, classes, where))
    else:
        raise SegvizError(f"{where}: a {type(maker).__name__}, and nothing that can be called to make a network")
    if not isinstance(network, nn.Module):
        raise SegvizError(f"{where}: made a {type(network).__name__}, not a torch.nn.Module")
    return network


def _called(maker: Callable[..., Any], classes: int | None, where: str) -> Any:
    given = {}
    if classes is not None:
        try:
            arguments = inspect.signature(maker).parameters
        except ValueError:  # made in C: nothing is known of it
            arguments = {}  # type: ignore[assignment]
        key = next((key for key in COUNTS if key in arguments), None)
        if key is None:
            raise UsageError(f"{where}: takes no number of classes ({', '.join(COUNTS)}); leave classes={classes} out")
        given[key] = classes
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return maker(**given)


def _run(where: str, work: Callable[[], Answer]) -> Answer:
    """What `work` answers; whatever other people's code raises becomes one message."""
    try:
        return work()
    except SegvizError:
        raise
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}".strip().split("\n")[0]
        raise SegvizError(f"{where}: its code fails ({reason})", traceback.format_exc()) from error


@contextmanager
def _found_in(folder: Path) -> Iterator[None]:
    """Modules of `folder` can be imported for as long as the block runs, unless others have their names."""
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
