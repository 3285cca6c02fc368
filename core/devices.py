"""Which device, which precision, how many: Lightning Fabric set up from a job's schedule."""

import os

import torch
from lightning_fabric import Fabric

from core.errors import BadInput
from core.job import Schedule


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
    """bfloat16 where asked for, or by `auto` where the device computes in it; None for full precision."""
    if schedule.precision == "32":
        return None
    if schedule.precision == "bf16":
        return torch.bfloat16
    return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else None


def memory_gib(device: torch.device) -> float | None:
    """All the memory there is: the device's, or the machine's; None where the system does not tell."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[1]) / 2**30
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    except (AttributeError, ValueError, OSError):
        return None
