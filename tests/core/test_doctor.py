"""The doctor runs what it reports on, and does not hide a machine without an accelerator."""

import json
from pathlib import Path

import pytest
import torch

from core import doctor


def test_the_cpu_is_tried_and_measured(tmp_path: Path) -> None:
    report = doctor.examine(tmp_path, smoke_s=0.03)
    cpu = report.devices[0]
    assert cpu.name == "cpu"
    assert set(cpu.smoke_gflops) == {"matmul", "conv", "bf16"}
    assert min(cpu.smoke_gflops.values()) > 0
    assert report.healthy
    assert json.loads(report.model_dump_json())["versions"]["torch"] == torch.__version__.split("+")[0]


@pytest.mark.parametrize(("amx", "precision"), [(True, "bfloat16"), (False, "float32")])
def test_what_runs_would_compute_in_is_said(
    amx: bool, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": amx})
    assert f"computes in {precision}; matmul" in doctor.examine(tmp_path, smoke_s=0.03).text()


def test_falling_back_to_the_cpu_is_said_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    text = doctor.examine(tmp_path, smoke_s=0.03).text()
    assert text.splitlines()[-1].startswith("!! RUNS ON THE CPU: ")


def test_a_device_that_computes_wrongly_is_named_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.functional, "conv2d", lambda *_: torch.zeros(1))
    report = doctor._examine_device(torch.device("cpu"), 0.03)
    assert report.fault == "conv computes wrongly; install a torch build made for this device"


def test_a_missing_kernel_is_a_fault_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_image(*_: object) -> None:
        raise RuntimeError("CUDA error: no kernel image is available\nfor execution on the device")

    monkeypatch.setattr(torch.nn.functional, "conv2d", no_image)
    report = doctor._examine_device(torch.device("cpu"), 0.03)
    assert report.fault
    assert report.fault.startswith("CUDA error: no kernel image is available for execution")


@pytest.mark.parametrize(
    ("devices", "driver", "cuda", "said"),
    [
        (["cpu"], None, None, "no NVIDIA driver"),
        (["cpu"], "570.1", None, "built without CUDA"),
        (["cpu"], "570.1", "13.0", "update the driver"),
    ],
)
def test_the_reason_for_the_cpu_is_given(
    devices: list[str], driver: str | None, cuda: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.version, "cuda", cuda)
    reports = [doctor.DeviceReport(name=name, description="") for name in devices]
    assert said in str(doctor._fallback(reports, driver))


def test_a_broken_accelerator_is_a_reason_too_and_a_sound_one_none() -> None:
    cpu = doctor.DeviceReport(name="cpu", description="")
    broken = doctor.DeviceReport(name="cuda:0", description="", fault="no kernel image")
    assert "cuda:0 fails its smoke kernel (no kernel image)" in str(doctor._fallback([cpu, broken], "570"))
    assert doctor._fallback([cpu, broken.model_copy(update={"fault": None})], "570") is None
