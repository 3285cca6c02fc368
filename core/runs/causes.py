"""Why a worker died that could not say so itself: by exit code, last words and memory."""

import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

AGAIN = "resume it: it goes on from its last checkpoint"
LESS = "lower sampling.batch or sampling.crop_px, or close other programs, and resume"
SCARCE = 0.05
"""Share of the memory below which what is killed was probably killed for want of memory."""

GPU_MEMORY = r"CUDA out of memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|OutOfMemoryError"
GPU_FAULT = r"CUDA error: [^\n;]+|CUDNN_STATUS_\w+|CUBLAS_STATUS_\w+|device-side assert triggered"
MEMORY = r"\bMemoryError\b|std::bad_alloc|DefaultCPUAllocator|Cannot allocate memory|not enough memory"

WORDS = {
    "SIGSEGV": "crashed in a library (segmentation fault)",
    "SIGABRT": "was ended by a library that met an impossible state (abort)",
    "SIGBUS": "lost a file that it was reading (bus error): a disk may be full, failing or unplugged",
    "SIGILL": "met an instruction that this processor does not have: install a torch build made for it",
    "SIGFPE": "crashed in a library (arithmetic fault)",
    "SIGTERM": "was told to end (SIGTERM), as when the machine shuts down",
    "SIGINT": "was interrupted (SIGINT)",
    "SIGHUP": "was told to end (SIGHUP), as when its session is closed",
}
WINDOWS = {
    0xC0000005: ("crashed in a library (access violation)", False),
    0xC0000017: ("ran out of memory", True),
    0xC000012D: ("ran out of memory: the page file is too small", True),
    0xC00000FD: ("crashed in a library (stack overflow)", False),
    0xC0000135: ("did not find a library that it needs: install Isthmus anew", False),
    0xC0000409: ("was ended by a library that met an impossible state", False),
    0xC000013A: ("was interrupted, as when its console is closed", False),
    0x40010004: ("was ended because the session was closed", False),
}


@dataclass(frozen=True)
class Cause:
    """One sentence with what to do, and the facts behind it."""

    text: str
    code: int
    signal: str | None = None
    out_of_memory: bool = False


@dataclass(frozen=True)
class Memory:
    """What the system says of its memory: kernel kills so far for want of it, and the share that is free."""

    kills: int = 0
    free: float = 1.0


def decode(code: int, said: str, before: Memory, after: Memory, wanted: bool = False) -> Cause:
    """The cause of a worker's end: its exit code (negative: a signal), its log, memory before and at the end.

    `wanted`: somebody asked for the kill.
    """
    name = _signal_name(code)
    text, out_of_memory = _words(code, name, said, before, after, wanted)
    return Cause(text, code, name, out_of_memory)


def _words(
    code: int, name: str | None, said: str, before: Memory, after: Memory, wanted: bool
) -> tuple[str, bool]:
    if wanted and (name or sys.platform == "win32"):
        return f"the worker was killed on request; {AGAIN}", False
    if re.search(GPU_MEMORY, said):
        return f"the worker ran out of the GPU's memory; {LESS}", True
    if found := re.search(GPU_FAULT, said):
        fault = " ".join(found[0].split())[:120]
        return f"the GPU failed ({fault}); {AGAIN}, and if it fails again, run `isthmus doctor`", False
    if re.search(MEMORY, said):
        return f"the worker ran out of memory; {LESS}", True
    if name == "SIGKILL":
        return _killed(before, after)
    if name:
        return f"the worker {WORDS.get(name, f'was ended by {name}')}; {AGAIN}", False
    if known := WINDOWS.get(code & 0xFFFFFFFF):
        return f"the worker {known[0]}; {LESS if known[1] else AGAIN}", known[1]
    last = _last_line(said)
    return f"the worker ended with exit code {code}" + (
        f", saying {last!r}" if last else ""
    ) + f"; {AGAIN}", False


def _killed(before: Memory, after: Memory) -> tuple[str, bool]:
    if after.kills > before.kills:
        return f"the system killed the worker, for memory had run out; {LESS}", True
    if after.free < SCARCE:
        share = f"{after.free:.0%} of it was free"
        return f"the worker was killed, probably because memory ran out ({share}); {LESS}", True
    return f"the worker was killed from outside (SIGKILL); {AGAIN}", False


def _signal_name(code: int) -> str | None:
    if code >= 0 or sys.platform == "win32":
        return None
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ")[:200] if lines else ""


def memory() -> Memory:
    """The system's memory now; on systems that do not tell, as if there were plenty."""
    kills = _figures(Path("/proc/vmstat")).get("oom_kill", 0)
    system = _figures(Path("/proc/meminfo"))
    free = (
        system["MemAvailable"] / system["MemTotal"] if {"MemAvailable", "MemTotal"} <= system.keys() else 1.0
    )
    return Memory(kills + _group_kills(), min(free, _group_free()))


def _group_kills() -> int:
    """Kills in this process's own memory group, which a container counts even where it sees no system."""
    events = [_figures(folder / "memory.events").get("oom_kill", 0) for folder in _groups()]
    controls = [_figures(folder / "memory.oom_control").get("oom_kill", 0) for folder in _groups()]
    return max([0, *events, *controls])


def _group_free() -> float:
    """The least share that is free in a group that limits this process's memory."""
    shares = [1.0]
    for folder in _groups():
        for limit, used in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            most, now = _number(folder / limit), _number(folder / used)
            cached = _figures(folder / "memory.stat")
            if most and now is not None and most < 2**60:
                spare = cached.get("inactive_file", 0) + cached.get("active_file", 0)
                shares.append(1 - (now - min(spare, now)) / most)
    return min(shares)


def _groups() -> list[Path]:
    """The folders of this process's memory groups, both generations; a container sees its own as the root."""
    root, found = Path("/sys/fs/cgroup"), []
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    for line in lines:
        _, kinds, inside = line.split(":", 2)
        if kinds == "" or "memory" in kinds.split(","):
            base = root / "memory" if kinds else root
            found += [base / inside.lstrip("/"), base]
    return [folder for folder in found if folder.is_dir()]


def _figures(path: Path) -> dict[str, int]:
    """`name value` or `name: value kB` lines."""
    try:
        parts = [line.replace(":", " ").split() for line in path.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return {}
    return {words[0]: int(words[1]) for words in parts if len(words) > 1 and words[1].isdigit()}


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
