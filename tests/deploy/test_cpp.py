"""The C++ example is built and gives the network's logits, where a compiler and MXNet's headers are."""

import os
import shutil
import subprocess
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from networks import network

from gluon_attn.deploy import export, predictor, targets

SOURCE = Path(__file__).resolve().parents[2] / "examples" / "cpp" / "classify.cc"
MXNET = Path(mx.__file__).parent


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The compiled example."""
    if not shutil.which("g++") or not (MXNET / "include/mxnet/c_predict_api.h").is_file():
        pytest.skip("no C++ compiler, or MXNet without its headers")
    target = tmp_path_factory.mktemp("cpp") / "classify"
    library = mx.libinfo.find_lib_path()[0]
    flags = ["-std=c++17", "-O1", "-Wall", "-Werror", f"-I{MXNET / 'include'}"]
    built = subprocess.run(
        ["g++", *flags, str(SOURCE), library, f"-Wl,-rpath,{Path(library).parent}", "-o", str(target)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return target


def classify(program, *words):
    environment = {**os.environ, "MXNET_SUBGRAPH_BACKEND": "NONE"}
    return subprocess.run(
        [str(program), *map(str, words)], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("kind", ["bare", "bundle"])
def test_the_example_gives_the_networks_logits(program, tmp_path, kind):
    net, card = network("cifar_resnet20_v1", attention="se")
    if kind == "bare":
        export.export_symbol(net, card, tmp_path / "net")
        prefix = tmp_path / "net"
    else:
        export.export_network(net, card, "net", [targets.ExportTarget("symbol")], tmp_path)
        prefix = tmp_path / "symbol-float32" / "net"
    before = predictor.of_network(net, card)
    images = export.random_images(card, 3)
    before.inputs(images).tofile(tmp_path / "images")
    found = classify(program, prefix, "3,3,32,32", tmp_path / "images")
    assert found.returncode == 0, found.stderr
    logits = np.array([line.split() for line in found.stdout.splitlines()], np.float32)
    expected = before.predict(images)
    assert logits.shape == expected.shape
    assert abs(logits - expected).max() <= 1e-5 * abs(expected).max()


def test_its_errors_are_one_line(program, tmp_path):
    (tmp_path / "images").write_bytes(b"few")
    for words, message in (((), "usage"), ((tmp_path / "none", "1,3,32,32", tmp_path / "images"), "cannot read")):
        found = classify(program, *words)
        assert found.returncode == 2
        assert message in found.stderr
        assert found.stderr.count("\n") == 1
