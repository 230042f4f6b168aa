"""NVIDIA GPUs: the CUDA 11 libraries of the pip wheels, and the cards as the driver describes them.

Run as a script this file prints the cards as JSON. `cards` does that in a child process, because cuInit and
fork do not mix; hence only the standard library is imported here.
"""

import ctypes
import importlib.metadata as metadata
import json
import subprocess
import sys

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


def mxnet_wheel():
    """(distribution, version) of the MXNet that is installed; (None, None) for one that pip does not know.

    With two wheels in one place they overwrite each other's library: the one whose size is on disk is meant.
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


def _owns_library(distribution):
    for file in distribution.files or ():
        if file.name == "libmxnet.so":
            try:
                return file.size == file.locate().stat().st_size
            except OSError:
                return False
    return False


def preload(load=None, locate=None):
    """Open the driver and the CUDA 11 libraries for every later library to see; returns where each came from.

    A library that no wheel brings is looked for in the system. A missing driver or library is an
    `ImportError` of one line. Tests replace `load(path)` and `locate(distribution, relative path)`.
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


def _load(path):
    ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)


def _locate(distribution, relative):
    try:
        return str(metadata.distribution(distribution).locate_file(relative))
    except metadata.PackageNotFoundError:
        return None


def unusable(capability):
    """Why mxnet-cu112 cannot run on a card of this (major, minor) compute capability, or None when it can."""
    if 5 <= capability[0] <= 8:
        return None
    return f"the wheel mxnet-cu112 has code for compute capability 5.0 to 8.9, not for {_dotted(capability)}"


def _dotted(capability):
    return ".".join(map(str, capability))


def cards(driver=DRIVER):
    """(list of {"id", "name", "capability": [major, minor]}, complaint or None), asked in a child process."""
    command = [sys.executable, "-I", "-S", __file__, driver]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=_QUERY_SECONDS, check=False)
        found = json.loads(child.stdout)
    except subprocess.TimeoutExpired:
        return [], f"the NVIDIA driver did not answer within {_QUERY_SECONDS} seconds"
    except (OSError, ValueError):
        return [], "the NVIDIA driver could not be asked (its library crashed)"
    return found["cards"], found["complaint"]


def _ask(driver):
    """The same in this process: initialises CUDA, so only the child process calls it."""
    try:
        cuda = ctypes.CDLL(driver)
    except OSError:
        return {"cards": [], "complaint": f"no NVIDIA driver ({DRIVER})"}
    count = ctypes.c_int()
    for error in (cuda.cuInit(0), cuda.cuDeviceGetCount(ctypes.byref(count))):
        if error:
            return {"cards": [], "complaint": f"the NVIDIA driver offers no GPU (CUDA error {error})"}
    return {"cards": [_card(cuda, number) for number in range(count.value)], "complaint": None}


def _card(cuda, number):
    device, name, value, capability = ctypes.c_int(), ctypes.create_string_buffer(256), ctypes.c_int(), []
    cuda.cuDeviceGet(ctypes.byref(device), number)
    cuda.cuDeviceGetName(name, len(name), device)
    for attribute in (_MAJOR, _MINOR):
        cuda.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        capability.append(value.value)
    return {"id": number, "name": name.value.decode(errors="replace"), "capability": capability}


if __name__ == "__main__":
    print(json.dumps(_ask(sys.argv[1])))
