"""What is set on made-up machines: Intel with AMX, containers, musl, Horovod workers."""

import ctypes
import os
import platform
import subprocess
import sys
import types

import pytest

from gluon_attn.utils import cpu, tuning

INTEL = "flags\t\t: avx512f avx512_bf16 amx_bf16 amx_tile\n"
AMD = "flags\t\t: avx512f avx512_bf16\n"


class Libc:
    """A stand-in C library that notes its calls. `largest`: the highest mmap threshold that it takes."""

    def __init__(self, granted=True, largest=1 << 40):
        self.calls = []
        self.granted, self.largest = granted, largest

    def gnu_get_libc_version(self):
        return b"2.36"

    def syscall(self, *arguments):
        self.calls.append(tuple(value.value for value in arguments))
        return 0 if self.granted else -1

    def mallopt(self, option, value):
        self.calls.append((option, value))
        return int(value <= self.largest)


@pytest.fixture
def host(tmp_path):
    def make(libc=None, cpuinfo=AMD, machine="x86_64", cores=4, **environ):
        (tmp_path / "proc").mkdir(exist_ok=True)
        (tmp_path / "proc/cpuinfo").write_text(cpuinfo)
        return cpu.Host(environ, tmp_path, lambda: cores, lambda: libc, machine)

    return make


def test_amx_is_asked_for_and_switched_on(host):
    libc = Libc()
    machine = host(libc, INTEL)
    step = tuning.set_amx(machine)
    assert step.value == "on"
    assert libc.calls == [(158, 0x1023, 18)]
    assert machine.environ["DNNL_MAX_CPU_ISA"] == "AVX512_CORE_AMX"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"libc": Libc(granted=False), "cpuinfo": INTEL}, "the kernel refused"),
        ({"libc": None, "cpuinfo": INTEL}, "the kernel refused"),
        ({"libc": types.SimpleNamespace(), "cpuinfo": INTEL}, "the kernel refused"),
        ({"libc": Libc(), "cpuinfo": INTEL, "machine": "aarch64"}, "the kernel refused"),
        ({"libc": Libc(), "cpuinfo": AMD}, "no amx_tile"),
        ({"libc": Libc(), "cpuinfo": ""}, "no amx_tile"),
        ({"libc": Libc(), "cpuinfo": INTEL, "GLUON_ATTN_AMX": "0"}, "GLUON_ATTN_AMX=0"),
    ],
)
def test_amx_stays_off(host, options, reason):
    machine = host(**options)
    step = tuning.set_amx(machine)
    assert step.value == "off"
    assert reason in step.reason
    assert "DNNL_MAX_CPU_ISA" not in machine.environ


@pytest.mark.parametrize("switch", ["0", "off", "No", "FALSE"])
def test_amx_switched_off_is_not_asked_for(host, switch):
    libc = Libc()
    tuning.set_amx(host(libc, INTEL, GLUON_ATTN_AMX=switch))
    assert libc.calls == []


@pytest.mark.parametrize(
    ("isa", "cpuinfo", "granted", "value", "asked", "left"),
    [
        ("AVX2", INTEL, True, "off", False, "AVX2"),
        ("AVX512_CORE_AMX", INTEL, True, "on", True, "AVX512_CORE_AMX"),
        ("avx512_core_amx", INTEL, True, "on", True, "avx512_core_amx"),
        ("AVX512_CORE_AMX", INTEL, False, "off", True, "AVX512_CORE_BF16"),
        ("AVX512_CORE_AMX", AMD, True, "off", False, "AVX512_CORE_AMX"),
    ],
)
def test_a_users_isa_wins(host, isa, cpuinfo, granted, value, asked, left):
    libc = Libc(granted)
    machine = host(libc, cpuinfo, DNNL_MAX_CPU_ISA=isa)
    step = tuning.set_amx(machine)
    assert step.value == value
    assert isa in step.reason
    assert bool(libc.calls) == asked
    assert machine.environ["DNNL_MAX_CPU_ISA"] == left


def test_threads_of_the_user_win(host):
    machine = host(OMP_NUM_THREADS="7")
    assert tuning.set_threads(machine) == tuning.Step("7", "OMP_NUM_THREADS is set by you")
    assert machine.environ == {"OMP_NUM_THREADS": "7"}


@pytest.mark.parametrize("empty", [{}, {"OMP_NUM_THREADS": ""}])
def test_threads_from_the_cores(host, empty):
    machine = host(cores=6, **empty)
    assert tuning.set_threads(machine).value == "6"
    assert machine.environ["OMP_NUM_THREADS"] == "6"


def test_a_child_does_not_take_our_choice_for_the_users(host):
    parent = host(Libc(), INTEL, cores=8)
    tuning.set_threads(parent)
    tuning.set_amx(parent)
    child = host(Libc(), AMD, cores=8, **parent.environ, HOROVOD_LOCAL_SIZE="4")
    assert tuning.set_threads(child).value == "2"
    assert tuning.set_amx(child).value == "off"
    assert "DNNL_MAX_CPU_ISA" not in child.environ
    grandchild = host(cores=8, **child.environ)
    assert tuning.set_threads(grandchild).value == "2"
    changed = host(cores=8, **{**parent.environ, "OMP_NUM_THREADS": "5"})
    assert tuning.set_threads(changed).reason == "OMP_NUM_THREADS is set by you"


def test_malloc(host):
    libc = Libc()
    assert tuning.keep_memory(host(libc)).value == "on"
    assert libc.calls == [(-3, 1 << 30), (-1, 2**31 - 1), (-8, 1), (1, 0)]


def test_malloc_refused(host):
    libc = Libc(largest=0)
    assert tuning.keep_memory(host(libc)).reason == "glibc refused the thresholds"
    assert libc.calls == [(-3, 1 << 30), (-3, 32 << 20)]


def test_older_glibc_gets_the_threshold_that_it_takes(host):
    libc = Libc()
    libc.mallopt = lambda option, value: libc.calls.append((option, value)) or option != -3 or value <= 32 << 20
    assert "32 MiB" in tuning.keep_memory(host(libc)).reason
    assert libc.calls == [(-3, 1 << 30), (-3, 32 << 20), (-1, 2**31 - 1), (-8, 1), (1, 0)]


@pytest.mark.parametrize("libc", [None, types.SimpleNamespace(mallopt=None), types.SimpleNamespace()])
def test_malloc_of_musl_is_left_alone(host, libc):
    assert tuning.keep_memory(host(libc)).reason == "the C library is not glibc"


@pytest.mark.parametrize(
    ("name", "value"),
    [("MALLOC_TRIM_THRESHOLD_", "1"), ("MALLOC_ARENA_MAX", "4"), ("GLIBC_TUNABLES", "glibc.malloc.trim_threshold=1")],
)
def test_malloc_settings_of_the_user_win(host, name, value):
    libc = Libc()
    assert tuning.keep_memory(host(libc, **{name: value})) == tuning.Step("off", f"{name} is set by you")
    assert libc.calls == []


AVX512 = "flags\t\t: fma avx2 avx512f avx512dq avx512bw avx512vl avx512cd\n"


@pytest.mark.parametrize(
    ("cpuinfo", "core"),
    [(AVX512, "SkylakeX"), ("flags\t\t: fma avx2 avx512f\n", "Haswell"), ("flags\t\t: avx2\n", None), ("", None)],
)
def test_openblas_is_told_the_kernels_of_the_processor(host, cpuinfo, core):
    machine = host(cpuinfo=cpuinfo)
    step = tuning.set_blas(machine)
    assert machine.environ.get("OPENBLAS_CORETYPE") == core
    assert step.value == (core or "its own choice")


def test_a_users_kernels_stay(host):
    machine = host(cpuinfo=AVX512, OPENBLAS_CORETYPE="Zen")
    assert tuning.set_blas(machine) == tuning.Step("Zen", "OPENBLAS_CORETYPE is set by you")
    assert machine.environ["OPENBLAS_CORETYPE"] == "Zen"


def test_the_openblas_of_mxnet_heeds_it():
    """In this very process, where MXNet's wheel brings one."""
    wanted = tuning.set_blas(cpu.Host()).value
    libraries = [
        line.split()[-1] for line in cpu.Host().read("proc/self/maps").splitlines() if "mxnet/libopenblas" in line
    ]
    if not libraries or wanted not in ("SkylakeX", "Haswell"):
        pytest.skip("no OpenBLAS of MXNet's wheel in this process, or a processor without AVX2")
    name = ctypes.CDLL(libraries[0]).openblas_get_corename
    name.restype = ctypes.c_char_p
    assert name().decode().lower() in (wanted.lower(), "haswell")  # the wheel's has no kernels of AVX-512


_FAULTS = """
import gluon_attn, resource
import mxnet as mx

x, found = mx.nd.ones((6 << 20,)), []  # 24 MiB: a fresh one costs 6144 page faults
for _ in range(60):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    x + 1
    mx.nd.waitall()
    found.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(min(found[-20:]))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_an_array_of_mxnets_threads_takes_the_memory_of_one_before_it():
    clean = {name: value for name, value in os.environ.items() if "MALLOC" not in name and name != "GLIBC_TUNABLES"}
    found = subprocess.run([sys.executable, "-c", _FAULTS], env=clean, capture_output=True, text=True, check=True)
    assert int(found.stdout) < 100
