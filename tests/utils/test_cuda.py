"""The CUDA 11 libraries and the cards, with stand-ins for the driver."""

import ctypes
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gluon_attn.utils import cuda

DRIVER = """
static const int capability[][2] = {%(capability)s};
int cuInit(unsigned flags) { %(init)s }
int cuDeviceGetCount(int *count) { *count = sizeof capability / sizeof capability[0]; return 0; }
int cuDeviceGet(int *device, int number) { *device = number; return 0; }
int cuDeviceGetName(char *name, int size, int device) {
    const char *text = "Stand-in";
    int i = 0;
    for (; text[i] && i < size - 1; i++) name[i] = text[i];
    name[i] = 0;
    return 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = capability[device][attribute - 75];
    return 0;
}
"""


@pytest.fixture
def driver(tmp_path):
    """Builds a stand-in libcuda.so.1 whose cards have the given capabilities; returns its path."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not here")

    def build(*capabilities, init="return 0;"):
        rows = ", ".join(f"{{{major}, {minor}}}" for major, minor in capabilities)
        source, library = tmp_path / "driver.c", tmp_path / "libcuda.so.1"
        source.write_text(DRIVER % {"capability": rows, "init": init})
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
        return str(library)

    return build


def test_cards_are_asked_from_the_driver(driver):
    cards, complaint = cuda.cards(driver((7, 5), (8, 6), (9, 0)))
    assert complaint is None
    assert [card["capability"] for card in cards] == [[7, 5], [8, 6], [9, 0]]
    assert [card["id"] for card in cards] == [0, 1, 2]
    assert {card["name"] for card in cards} == {"Stand-in"}
    assert [cuda.unusable(card["capability"]) is None for card in cards] == [True, True, False]


def test_the_driver_is_asked_in_another_process(driver):
    path = driver((8, 0))
    cuda.cards(path)
    assert path not in Path("/proc/self/maps").read_text()


def test_a_driver_without_cards(driver):
    cards, complaint = cuda.cards(driver((8, 0), init="return 100;"))
    assert cards == []
    assert complaint == "the NVIDIA driver offers no GPU (CUDA error 100)"


def test_a_driver_that_crashes(driver):
    cards, complaint = cuda.cards(driver((8, 0), init="return *(volatile int *)0;"))
    assert cards == []
    assert "crashed" in complaint


def test_a_driver_that_hangs(driver, monkeypatch):
    monkeypatch.setattr(cuda, "_QUERY_SECONDS", 0.5)
    cards, complaint = cuda.cards(driver((8, 0), init="for (;;) ;"))
    assert cards == []
    assert "did not answer" in complaint


def test_no_driver(tmp_path):
    assert cuda.cards(str(tmp_path / "libcuda.so.1")) == ([], "no NVIDIA driver (libcuda.so.1)")


@pytest.mark.parametrize("capability", [(5, 0), (6, 1), (7, 0), (7, 5), (8, 0), (8, 6), (8, 9)])
def test_capabilities_with_code(capability):
    assert cuda.unusable(capability) is None


@pytest.mark.parametrize("capability", [(3, 5), (9, 0), (10, 0), (12, 0)])
def test_capabilities_without_code(capability):
    assert f"not for {capability[0]}.{capability[1]}" in cuda.unusable(capability)


class Loader:
    """Notes what is opened; `absent` names cannot be."""

    def __init__(self, *absent):
        self.absent, self.opened = absent, []

    def __call__(self, path):
        if any(path.endswith(name) for name in self.absent):
            raise OSError(path)
        self.opened.append(path)


def in_wheels(distribution, relative):
    return f"/site/{relative}"


def test_wheel_libraries_are_opened_after_the_driver():
    load = Loader()
    origin = cuda.preload(load, in_wheels)
    assert load.opened[0] == "libcuda.so.1"
    assert len(load.opened) == 10
    assert origin["libcudnn.so.8"] == "/site/nvidia/cudnn/lib/libcudnn.so.8"


def test_system_libraries_serve_where_wheels_are_missing():
    origin = cuda.preload(Loader(), lambda distribution, relative: None)
    assert origin["libcublas.so.11"] == "libcublas.so.11"
    assert len(origin) == 9


def test_missing_driver_is_one_line_that_names_the_cpu_wheel():
    with pytest.raises(ImportError, match=r"driver \(libcuda.so.1\).*gluon-attn\[cpu\]") as caught:
        cuda.preload(Loader("libcuda.so.1"), in_wheels)
    assert "\n" not in str(caught.value)


def test_missing_library_is_one_line_that_names_the_extra():
    with pytest.raises(ImportError) as caught:
        cuda.preload(Loader("libcudnn.so.8"), in_wheels)
    assert str(caught.value) == ("libcudnn.so.8 is missing (nvidia-cudnn-cu11): pip install 'gluon-attn[cu112]'")


def test_a_wheel_library_is_seen_by_later_ones(tmp_path, monkeypatch):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not here")
    (tmp_path / "a.c").write_text("int gluon_attn_made_up_symbol(void) { return 42; }")
    library = tmp_path / "nvidia/nvtx/lib/libnvToolsExt.so.1"
    library.parent.mkdir(parents=True)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, tmp_path / "a.c"], check=True)
    metadata = tmp_path / "nvidia_nvtx_cu11-11.8.86.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: nvidia-nvtx-cu11\nVersion: 11.8.86\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(cuda, "LIBRARIES", [row for row in cuda.LIBRARIES if row[1] == "nvtx"])
    monkeypatch.setattr(cuda, "DRIVER", str(library))
    assert cuda.preload() == {"libnvToolsExt.so.1": str(library)}
    assert ctypes.CDLL(None).gluon_attn_made_up_symbol() == 42


def install(folder, name, size):
    """A made-up installed wheel whose record says that libmxnet.so has `size` bytes."""
    info = folder / f"{name.replace('-', '_')}-1.9.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {name}\nVersion: 1.9.1\n")
    (info / "RECORD").write_text(f"mxnet/libmxnet.so,,{size}\n")
    (folder / "mxnet").mkdir(exist_ok=True)
    (folder / "mxnet/libmxnet.so").write_text("x" * 10)


@pytest.mark.parametrize(
    ("wheels", "expected"),
    [
        ({}, (None, None)),
        ({"mxnet": 10}, ("mxnet", "1.9.1")),
        ({"mxnet-cu112": 10}, ("mxnet-cu112", "1.9.1")),
        ({"mxnet": 10, "mxnet-cu112": 99}, ("mxnet", "1.9.1")),
        ({"mxnet": 99, "mxnet-cu112": 10}, ("mxnet-cu112", "1.9.1")),
    ],
)
def test_the_wheel_whose_library_is_there(tmp_path, monkeypatch, wheels, expected):
    for name, size in wheels.items():
        install(tmp_path, name, size)
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert cuda.mxnet_wheel() == expected


def test_the_child_needs_only_the_standard_library(run_command):
    child = run_command("-I", "-S", cuda.__file__, "/nowhere/libcuda.so.1")
    assert json.loads(child.stdout)["cards"] == []
    assert child.stderr == ""
