"""Which device, which precision, how many: Lightning Fabric set up from a job's schedule."""

import os
from typing import TypeVar

import torch
from lightning_fabric import Fabric
from torch import nn

from core.errors import BadInput
from core.job import Schedule

Module = TypeVar("Module", bound=nn.Module)


def launch(schedule: Schedule) -> Fabric:
    """A launched Fabric. Several devices come from `torchrun`, which works unchanged.

    Raises BadInput for a device that is not there.
    """
    kind, _, index = schedule.device.partition(":")
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if kind not in ("cpu", "cuda", "mps") or (index and not index.isdigit()):
        raise BadInput(
            "schedule.device", f"no device {schedule.device!r}", "use auto, cpu, cuda, cuda:1 or mps"
        )
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise BadInput(
            "schedule.device", f"{schedule.device} is not there", "run `isthmus doctor`, or use cpu"
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise BadInput("schedule.device", "mps is not there", "run `isthmus doctor`, or use cpu")
    if schedule.threads:
        torch.set_num_threads(schedule.threads)
    world = int(os.environ.get("WORLD_SIZE", "1"))
    fabric = Fabric(
        accelerator=kind,
        devices=world if world > 1 else [int(index or 0)] if kind == "cuda" else 1,
        strategy="ddp" if world > 1 else "auto",
    )
    fabric.launch()
    return fabric


def rank() -> int:
    """Which of several devices this process drives, by torchrun's environment; 0 when alone."""
    return int(os.environ.get("RANK", "0"))


def reading_threads(device: torch.device) -> int:
    """How many read ahead: one where the processor trains, else half of its cores, four at most."""
    return 1 if device.type == "cpu" else max(1, min(4, (os.cpu_count() or 1) // 2))


def autocast_type(schedule: Schedule, device: torch.device) -> torch.dtype | None:
    """bfloat16 where asked for, or by `auto` where it is faster on the device; None for full precision."""
    if schedule.precision == "32":
        return None
    return torch.bfloat16 if schedule.precision == "bf16" or faster_in_bf16(device) else None


def precision_of(schedule: Schedule, device: torch.device) -> str:
    """What a run computes in, in a word."""
    return "float32" if autocast_type(schedule, device) is None else "bfloat16"


def faster_in_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is worth taking there: on cards with units for it, and processors with AMX.

    AVX-512's own instructions for it gain nothing (benchmarks/precision.md).
    """
    if device.type == "cpu":
        return bool(torch.cpu.get_capabilities().get("amx_bf16"))
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def placed(network: Module, device: torch.device) -> Module:
    """The network on the device, in the memory layout that convolutions like."""
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # torch's stub lacks memory_format for modules


def memory_gib(device: torch.device) -> float | None:
    """All the memory there is: the device's, or the machine's; None where the system does not tell."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[1]) / 2**30
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    except (AttributeError, ValueError, OSError):
        return None
