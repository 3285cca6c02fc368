"""A device that is not there: its tensors are kept and computed with on the CPU.

What a graphics card refuses is refused: an operation on tensors of both devices, and an array made of a
tensor that lies there; so is float64, which Apple's do not have, and a copy that nobody waits for, which
may read memory there that was freed meanwhile (pytorch issue 189690). So that code which forgets a
`.to(device)` is found on machines without a card.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities import apply_func
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter, tree_map

from core.job import Schedule

ELSEWHERE, HERE = torch.device("lazy"), torch.device("cpu")
_aten = torch.ops.aten
_CROSSING = (_aten.copy_, _aten._to_copy)
_INDEXING = (_aten.index, _aten.index_put, _aten.index_put_, _aten._index_put_impl_, _aten._unsafe_index)
_INDEX_TYPES = (torch.int64, torch.int32, torch.bool, torch.uint8)


class Far(Tensor):
    """A tensor elsewhere; `near` holds its values."""

    near: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, near: Tensor) -> "Far":
        made = Tensor._make_wrapper_subclass(
            cls,
            near.shape,
            strides=near.stride(),
            storage_offset=near.storage_offset(),
            dtype=near.dtype,
            layout=near.layout,
            device=ELSEWHERE,
        )
        made.near = near
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Saved as what it holds: a checkpoint is loaded to the CPU whatever device it was made on."""
        return self.near.__reduce_ex__(protocol)

    @classmethod
    def __torch_dispatch__(cls, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _compute(func, args, kwargs or {})


class _Device(TorchDispatchMode):
    """Makes what is to be made elsewhere."""

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _compute(func, args, kwargs or {})


def _compute(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    seen = [each for each in tree_iter((args, kwargs)) if isinstance(each, Tensor)]
    far = [each for each in seen if isinstance(each, Far)]
    if far and func.overloadpacket not in _CROSSING:
        _refuse_both(func, seen)
    if func.overloadpacket in _CROSSING and (kwargs.get("non_blocking") or args[2:] == (True,)):
        raise RuntimeError(f"{func}: nobody waits for the end of this copy")
    asked = kwargs.get("device")
    if asked is not None and torch.device(asked) == ELSEWHERE:
        kwargs = kwargs | {"device": HERE}
    found = func(*tree_map(_near, args), **tree_map(_near, kwargs))
    if func.overloadpacket is _aten.copy_:
        return args[0]
    goes_far = bool(far) if asked is None else torch.device(asked) == ELSEWHERE
    known = {id(each.near): each for each in far}  # in place: the same object comes back

    def named(each: Any) -> Any:
        if id(each) in known:
            return known[id(each)]
        if not goes_far or not isinstance(each, Tensor):
            return each
        if each.dtype == torch.float64:
            raise TypeError(f"{func}: there is no float64 elsewhere")
        return Far(each)

    return tree_map(named, found)


def _near(each: Any) -> Any:
    return each.near if isinstance(each, Far) else each


def _refuse_both(func: Any, seen: list[Tensor]) -> None:
    """A single number may lie anywhere, and so may an index."""
    indexing = func.overloadpacket in _INDEXING
    for each in seen:
        an_index = indexing and each.dtype in _INDEX_TYPES
        if not isinstance(each, Far) and each.dim() > 0 and not an_index:
            raise RuntimeError(f"{func}: a tensor {tuple(each.shape)} on the CPU meets one elsewhere")


class FarFabric(Fabric):
    device = property(lambda _: ELSEWHERE)  # type: ignore[assignment]  # of what it drives nothing is elsewhere


def launch(schedule: Schedule) -> Fabric:
    """Stands in for `core.devices.launch`."""
    fabric = FarFabric(accelerator="cpu", devices=1)
    fabric.launch()
    if schedule.threads:
        torch.set_num_threads(schedule.threads)
    return fabric


@contextmanager
def elsewhere(monkeypatch: pytest.MonkeyPatch, *modules: str) -> Iterator[None]:
    """The device is there for this thread, and what these modules launch is launched on it."""
    autocast = torch.autocast

    def cast(device: str, *args: Any, **kwargs: Any) -> torch.autocast:
        return autocast(HERE.type if device == ELSEWHERE.type else device, *args, **kwargs)

    def enter(self: Any) -> None:
        self.stand_in = torch.no_grad()
        self.stand_in.__enter__()

    def leave(self: Any, *fault: Any) -> None:
        self.stand_in.__exit__(*fault)

    with monkeypatch.context() as patch, _Device():
        patch.setattr(torch, "autocast", cast)
        patch.setattr(apply_func, "_BLOCKING_DEVICE_TYPES", ("cpu", ELSEWHERE.type))  # as Apple's
        patch.setattr(
            torch.inference_mode, "__enter__", enter
        )  # which tensors of our own kind do not live in
        patch.setattr(torch.inference_mode, "__exit__", leave)
        for module in modules:
            patch.setattr(f"{module}.launch", launch)
        yield
