"""NVIDIA GPUs: the CUDA 11 libraries of the pip wheels, and the GPUs as the driver describes them.

Run as a script this file prints the GPUs as JSON. `cards` does that in a child process, because a process that has
called cuInit must not fork; so only the standard library is imported here.
"""

import ctypes
import importlib.metadata as metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypedDict

DRIVER = "libcuda.so.1"
#: distribution, folder below site-packages/nvidia, library; what mxnet-cu112 links against
LIBRARIES = (
    ("nvidia-cuda-runtime-cu11", "cuda_runtime", "libcudart.so.11.0"),
    ("nvidia-cuda-nvrtc-cu11", "cuda_nvrtc", "libnvrtc.so.11.2"),
    ("nvidia-cublas-cu11", "cublas", "libcublas.so.11"),
    ("nvidia-cufft-cu11", "cufft", "libcufft.so.10"),
    ("nvidia-curand-cu11", "curand", "libcurand.so.10"),
    ("nvidia-cusolver-cu11", "cusolver", "libcusolver.so.11"),
    ("nvidia-nvtx-cu11", "nvtx", "libnvToolsExt.so.1"),
    ("nvidia-nccl-cu11", "nccl", "libnccl.so.2"),
    ("nvidia-cudnn-cu11", "cudnn", "libcudnn.so.8"),
)
NO_DRIVER = (
    f"mxnet-cu112 needs the NVIDIA driver ({DRIVER}), which is missing: install the driver, or the CPU wheel "
    "(pip uninstall mxnet-cu112; pip install 'gluon-attn[cpu]')"
)
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*
_QUERY_SECONDS = 60


class Card(TypedDict):
    """A GPU."""

    id: int
    name: str
    capability: list[int]


def mxnet_wheel() -> tuple[str | None, str | None]:
    """(distribution, version) of the installed MXNet; (None, None) if pip has not installed it.

    Two wheels in one folder overwrite each other's library: then it is the one whose file size is found on disk.
    """
    found = []
    for name in ("mxnet-cu112", "mxnet"):
        try:
            found.append(metadata.distribution(name))
        except metadata.PackageNotFoundError:
            continue
    if len(found) == 2:
        found.sort(key=_owns_library, reverse=True)
    return (found[0].metadata["Name"], found[0].version) if found else (None, None)


def _owns_library(distribution: metadata.Distribution) -> bool:
    """Whether libmxnet.so has the size that the distribution records."""
    for file in distribution.files or ():
        if file.name == "libmxnet.so":
            try:
                return file.size == os.stat(file.locate()).st_size
            except OSError:
                return False
    return False


def preload(
    load: Callable[[str], None] | None = None, locate: Callable[[str, str], str | None] | None = None
) -> dict[str, str]:
    """Load the driver and the CUDA 11 libraries, with symbols that are visible to libraries loaded later.

    A library that is in no wheel is taken from the system.

    Args:
        load: replaces the function (path) that loads a library, in tests.
        locate: replaces the function (distribution, relative path) that finds a file of a wheel, in tests.

    Returns:
        Name of each library -> the path it was loaded from.

    Raises:
        ImportError: the driver or a library is missing; the message is one line.
    """
    load, locate = load or _load, locate or _locate
    try:
        load(DRIVER)
    except OSError:
        raise ImportError(NO_DRIVER) from None
    origin = {}
    for distribution, folder, library in LIBRARIES:
        path = locate(distribution, f"nvidia/{folder}/lib/{library}")
        for candidate in filter(None, (path, library)):
            try:
                load(candidate)
            except OSError:
                continue
            origin[library] = candidate
            break
        else:
            raise ImportError(f"{library} is missing ({distribution}): pip install 'gluon-attn[cu112]'")
    return origin


def _load(path: str) -> None:
    ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)


def _locate(distribution: str, relative: str) -> str | None:
    try:
        return str(metadata.distribution(distribution).locate_file(relative))
    except metadata.PackageNotFoundError:
        return None


def unusable(capability: Sequence[int]) -> str | None:
    """Why mxnet-cu112 cannot run on a GPU of this (major, minor) compute capability, or None if it can."""
    if 5 <= capability[0] <= 8:
        return None
    return f"the wheel mxnet-cu112 has code for compute capability 5.0 to 8.9, not for {_dotted(capability)}"


def _dotted(capability: Sequence[int]) -> str:
    return ".".join(map(str, capability))


def cards(driver: str = DRIVER) -> tuple[list[Card], str | None]:
    """The GPUs, queried in a child process, since the query initializes CUDA.

    Args:
        driver: file name of NVIDIA's driver library.

    Returns:
        (the GPUs, the reason why there are none or None).
    """
    command = [sys.executable, "-I", "-S", __file__, driver]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=_QUERY_SECONDS, check=False)
        found = json.loads(child.stdout)
    except subprocess.TimeoutExpired:
        return [], f"the NVIDIA driver did not answer within {_QUERY_SECONDS} seconds"
    except (OSError, ValueError):
        return [], "the NVIDIA driver could not be queried (its library crashed)"
    return found["cards"], found["problem"]


def _query(driver: str) -> dict[str, Any]:
    """The same in this process: it initializes CUDA, so only the child process calls it."""
    try:
        cuda = ctypes.CDLL(driver)
    except OSError:
        return {"cards": [], "problem": f"no NVIDIA driver ({DRIVER})"}
    count = ctypes.c_int()
    for error in (cuda.cuInit(0), cuda.cuDeviceGetCount(ctypes.byref(count))):
        if error:
            return {"cards": [], "problem": f"the NVIDIA driver offers no GPU (CUDA error {error})"}
    return {"cards": [_card(cuda, number) for number in range(count.value)], "problem": None}


def _card(cuda: ctypes.CDLL, number: int) -> Card:
    device, name, value = ctypes.c_int(), ctypes.create_string_buffer(256), ctypes.c_int()
    capability: list[int] = []
    cuda.cuDeviceGet(ctypes.byref(device), number)
    cuda.cuDeviceGetName(name, len(name), device)
    for attribute in (_MAJOR, _MINOR):
        cuda.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        capability.append(value.value)
    return {"id": number, "name": name.value.decode(errors="replace"), "capability": capability}


if __name__ == "__main__":
    print(json.dumps(_query(sys.argv[1])))
