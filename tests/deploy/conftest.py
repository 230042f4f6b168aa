"""A small network trained on the digits, small detectors, and their deploy bundles."""

import pytest
from detector_runs import write_run
from networks import digits, digits_run

import gluon_attn
from gluon_attn.data.base import ArraySet
from gluon_attn.deploy import export, load_run, targets
from gluon_attn.deploy.verify import ExportChecks


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """(network, card, test images) of a small network."""
    folder = digits_run(tmp_path_factory.mktemp("runs") / "run")
    test = digits().val
    return *load_run.load_run(folder), ArraySet(test.images[:64].copy(), test.labels[:64].copy())


@pytest.fixture(scope="session")
def bundles(trained, tmp_path_factory):
    """Name of a target -> its `Exported` bundle, for all targets."""
    for library in ("onnxruntime", "openvino", "nncf"):
        pytest.importorskip(library)
    net, card, test = trained
    checks = ExportChecks(test=test, dataset="digits", calibration=digits().train.images[:32], max_drop=1.0)
    found = export.export_network(
        net, card, "net", targets.all_targets(), tmp_path_factory.mktemp("bundles"), checks=checks
    )
    return {str(one.target): one for one in found}


@pytest.fixture(scope="session")
def detectors(tmp_path_factory):
    """(kind of detector) -> run folder with its float32 exports, made once."""
    made = {}

    def get(kind):
        if kind not in made:
            run = write_run(tmp_path_factory.mktemp("runs") / kind, kind)
            gluon_attn.export(run, format=["symbol", "onnx", "openvino"])
            made[kind] = run
        return made[kind]

    return get
