"""What this machine can run, found out by running it: `isthmus doctor`."""

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import torch
from pydantic import BaseModel

from core.devices import memory_gib, precision_of
from core.job import Schedule
from core.networks.weights import default_folder
from core.runs.run import LIBRARIES, version_of

SMOKE_S = 1.0
"""About how long a device is tried."""


class DeviceReport(BaseModel):
    """One device: memory in GiB; `smoke_gflops` by kernel, measured; `fault` where a kernel failed;
    `precision` is what `schedule.precision: auto` comes to."""

    name: str
    description: str
    precision: str = "float32"
    capability: str | None = None
    memory_gib: float | None = None
    free_gib: float | None = None
    smoke_gflops: dict[str, float] = {}
    fault: str | None = None


class Report(BaseModel):
    """The machine: JSON-able, and in words by `text()`."""

    platform: str
    python: str
    versions: dict[str, str]
    torch_build: str
    driver: str | None
    cpu_threads: int
    disk_free_gib: float
    weights_folder: str
    devices: list[DeviceReport]
    fallback: str | None

    @property
    def healthy(self) -> bool:
        return not any(device.fault for device in self.devices)

    def text(self) -> str:
        lines = [
            f"{self.platform}, Python {self.python}, {self.cpu_threads} CPU threads",
            f"NVIDIA driver: {self.driver or 'none found'}",
            f"torch: {self.torch_build}",
            f"disk free here: {self.disk_free_gib:.1f} GiB",
            f"encoder weights: {self.weights_folder}",
            *(_device_line(device) for device in self.devices),
            "libraries: " + ", ".join(f"{name} {version}" for name, version in self.versions.items()),
        ]
        return "\n".join([*lines, *([f"!! RUNS ON THE CPU: {self.fallback} !!"] if self.fallback else [])])


def examine(folder: Path, smoke_s: float = SMOKE_S) -> Report:
    """Look at this machine; runs will be written to `folder`. Each device is tried for `smoke_s` seconds."""
    driver = _driver()
    devices = [_examine_device(device, smoke_s) for device in available()]
    return Report(
        platform=platform.platform(),
        python=platform.python_version(),
        versions={name: version_of(name) for name in LIBRARIES},
        torch_build=f"{torch.__version__}, {_built_for()}",
        driver=driver,
        cpu_threads=os.cpu_count() or 1,
        disk_free_gib=round(shutil.disk_usage(folder).free / 2**30, 1),
        weights_folder=_weights(default_folder()),
        devices=devices,
        fallback=_fallback(devices, driver),
    )


def available() -> list[torch.device]:
    gpus = (
        [torch.device("cuda", i) for i in range(torch.cuda.device_count())]
        if torch.cuda.is_available()
        else []
    )
    mps = [torch.device("mps")] if torch.backends.mps.is_available() else []
    return [torch.device("cpu"), *gpus, *mps]


def _examine_device(device: torch.device, smoke_s: float) -> DeviceReport:
    report = describe_device(device)
    try:
        return report.model_copy(update={"smoke_gflops": smoke(device, smoke_s)})
    except (RuntimeError, ArithmeticError) as fault:
        reason = " ".join(str(fault).split())[:200]
        return report.model_copy(update={"fault": f"{reason}; install a torch build made for this device"})


def describe_device(device: torch.device) -> DeviceReport:
    """Its name and memory, untried."""
    if device.type != "cuda":
        total = memory_gib(device)
        return DeviceReport(
            name=str(device),
            description=platform.processor() or platform.machine(),
            precision=precision_of(Schedule(), device),
            memory_gib=None if total is None else round(total, 1),
        )
    properties = torch.cuda.get_device_properties(device)
    free, whole = torch.cuda.mem_get_info(device)
    return DeviceReport(
        name=str(device),
        description=properties.name,
        precision=precision_of(Schedule(), device),
        capability=f"{properties.major}.{properties.minor}",
        memory_gib=round(whole / 2**30, 1),
        free_gib=round(free / 2**30, 1),
    )


def smoke(device: torch.device, seconds: float) -> dict[str, float]:
    """GFLOP/s of a matrix product, a convolution and a bfloat16 product, each result checked.

    Raises RuntimeError where a kernel is missing, ArithmeticError where one computes wrongly.
    """
    n = 256
    ones = torch.ones(n, n, device=device)
    halves = ones.to(torch.bfloat16)
    image, kernel = torch.ones(1, 16, 64, 64, device=device), torch.ones(16, 16, 3, 3, device=device)
    conv_flops = 2 * 16 * 16 * 9 * 62 * 62
    kernels: dict[str, tuple[Callable[[], torch.Tensor], float, float]] = {
        "matmul": (lambda: ones @ ones, float(n), 2.0 * n**3),
        "conv": (lambda: torch.nn.functional.conv2d(image, kernel), 16.0 * 9, float(conv_flops)),
        "bf16": (lambda: halves @ halves, float(n), 2.0 * n**3),
    }
    return {
        name: _rate(name, work, expected, flops, seconds / len(kernels))
        for name, (work, expected, flops) in kernels.items()
    }


def _rate(
    name: str, work: Callable[[], torch.Tensor], expected: float, flops: float, seconds: float
) -> float:
    result, times, begin = work(), 1, time.perf_counter()
    while (spent := time.perf_counter() - begin) < seconds or times == 1:
        result = work()
        times += 1
        if times % 16 == 0:
            result.flatten()[0].item()  # waits for the device
    if not bool((result.float() == expected).all()):
        raise ArithmeticError(f"{name} computes wrongly")
    return round(times * flops / max(spent, 1e-6) / 1e9, 1)


def _fallback(devices: list[DeviceReport], driver: str | None) -> str | None:
    """Why a run would not find an accelerator; None where it would."""
    if any(device.name != "cpu" and not device.fault for device in devices):
        return None
    broken = [device for device in devices if device.name != "cpu"]
    if broken:
        return f"{broken[0].name} fails its smoke kernel ({broken[0].fault})"
    if not driver:
        return "no NVIDIA driver and no other accelerator was found"
    if not torch.version.cuda:
        return "this torch is built without CUDA; install the ordinary build from PyPI"
    return (
        f"driver {driver} offers no device to CUDA {torch.version.cuda}; update the driver, see `nvidia-smi`"
    )


def _driver() -> str | None:
    if not (program := shutil.which("nvidia-smi")):
        return None
    query = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.split("\n")[0].strip() or None


def _built_for() -> str:
    if not torch.version.cuda:
        return "built without CUDA"
    return (
        f"built for CUDA {torch.version.cuda} ({' '.join(torch.cuda.get_arch_list()) or 'no driver to ask'})"
    )


def _weights(folder: Path) -> str:
    files = sorted(folder.glob("*.safetensors"))
    return f"{folder}, {len(files)} of them" if files else f"none in {folder}: they come from the hub"


def _device_line(device: DeviceReport) -> str:
    capability = f", compute capability {device.capability}" if device.capability else ""
    free = "" if device.free_gib is None else f"{device.free_gib} of "
    memory = f", {free}{device.memory_gib} GiB{' free' if free else ''}" if device.memory_gib else ""
    speeds = ", ".join(f"{name} {rate:.0f} GFLOP/s" for name, rate in device.smoke_gflops.items())
    known = f"{device.name}: {device.description}{capability}{memory}; computes in {device.precision}"
    return f"{known}; {device.fault or speeds}"
