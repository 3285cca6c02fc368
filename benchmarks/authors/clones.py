"""The authors' code, imported at run time from clones that the user made: none of it is in this project.

What their modules import and this project lacks (mmcv, kornia, matplotlib) is stubbed for as long as the
import lasts, with only the names that the import needs.
"""

import ast
import importlib
import re
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import torch
from torch import Tensor

Stubs = Mapping[str, Mapping[str, Any]]
"""Module name -> the names that it is to hold."""


@dataclass(frozen=True)
class Clones:
    """A folder of clones, named as on GitHub."""

    folder: Path

    def commit(self, repo: str) -> str:
        """The commit checked out, shortened. Raises FileNotFoundError where there is no clone."""
        if not (self.folder / repo / ".git").exists():
            raise FileNotFoundError(f"{self.folder / repo}: clone the repository there")
        command = ["git", "-C", str(self.folder / repo), "rev-parse", "--short=8", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def module(self, repo: str, name: str, stubs: Stubs | None = None, root: str = "") -> ModuleType:
        """Their module by its dotted name below `root`, in a package whose `__init__` files are not run."""
        base, parts = self.folder / repo / root, name.split(".")
        parents: Stubs = {".".join(parts[:n]): {} for n in range(1, len(parts))}
        with _instead(name, base, {**parents, **(stubs or {})}), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)

    def function(self, repo: str, path: str, name: str, /, **names: Any) -> Callable[..., Any]:
        """One function of a script that cannot be imported whole; `names` are its globals."""
        tree = ast.parse((self.folder / repo / path).read_text())
        found = next(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == name)
        exec(compile(ast.Module([found], []), path, "exec"), names)
        made: Callable[..., Any] = names[name]
        return made

    def lines(self, repo: str, path: str, first: str, last: str, /, **names: Any) -> dict[str, Any]:
        """Run a script's lines from the one that starts with `first` to before `last`; returns their names.

        Lines of Python 2's `print` are left out.
        """
        lines = (self.folder / repo / path).read_text().expandtabs(4).splitlines()
        begin = next(n for n, line in enumerate(lines) if line.strip().startswith(first))
        end = next(n for n, line in enumerate(lines) if n > begin and line.strip().startswith(last))
        kept = [line for line in lines[begin:end] if not re.match(r"\s*print\b", line)]
        exec(compile(textwrap.dedent("\n".join(kept)), path, "exec"), names)
        return names


@contextmanager
def _instead(wanted: str, base: Path, stubs: Stubs) -> Iterator[None]:
    """`stubs` among the imported modules, packages where `base` has their folders; afterwards as before."""
    roots = {name.partition(".")[0] for name in (wanted, *stubs)}

    def mine() -> dict[str, ModuleType]:
        return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in roots}

    before = mine()
    for name in before:
        del sys.modules[name]
    for name, holds in stubs.items():
        stub = ModuleType(name)
        stub.__path__ = [str(base.joinpath(*name.split(".")))]
        vars(stub).update(holds)
        sys.modules[name] = stub
    sys.path.insert(0, str(base))
    try:
        yield
    finally:
        sys.path.remove(str(base))
        for name in mine():
            del sys.modules[name]
        sys.modules.update(before)


@contextmanager
def double_precision() -> Iterator[None]:
    """Everything in float64, `.float()` too, so that what is left of a difference is no rounding."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with mock.patch.object(Tensor, "float", Tensor.double):
            yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def on_the_cpu() -> Iterator[None]:
    """`.cuda()` leaves tensors where they are: their loops call it unasked."""
    with mock.patch.object(Tensor, "cuda", lambda self, *_: self), torch.random.fork_rng():
        yield
