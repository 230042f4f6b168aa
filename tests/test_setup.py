"""setup.py says the same as the code, and what is old is noticed."""

import re
import runpy
import warnings
from pathlib import Path

import pytest

from gluon_attn.utils import cuda
from gluon_attn.utils.optional import EXTRAS
from gluon_attn.version import __version__

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def arguments():
    """What setup.py hands to setuptools."""
    import setuptools

    seen = {}
    original, setuptools.setup = setuptools.setup, lambda **given: seen.update(given)
    try:
        runpy.run_path(str(ROOT / "setup.py"))
    finally:
        setuptools.setup = original
    return seen


def test_the_version_is_the_packages(arguments):
    assert arguments["version"] == __version__


def test_every_optional_library_has_its_extra(arguments):
    for module, extra in EXTRAS.items():
        wanted = [re.split(r"[<>=]", item)[0] for item in arguments["extras_require"][extra]]
        assert module.partition(".")[0] in wanted


def test_cu112_brings_every_library_that_is_loaded(arguments):
    wanted = {item.partition("==")[0] for item in arguments["extras_require"]["cu112"]}
    assert wanted == {"mxnet-cu112", *(row[0] for row in cuda.LIBRARIES)}


def test_all_packages_are_shipped(arguments):
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "gluon_attn").rglob("*.py")}
    own = {str(folder).replace("/", ".") for folder in folders}
    assert set(arguments["packages"]) == {
        *own,
        "gluon_attn.genotypes",
        "gluon_attn.params",
    }  # the last two hold no code


def test_an_installed_package_has_its_networks(tmp_path, run_command):
    done = run_command("setup.py", "-q", "build_py", "--build-lib", tmp_path / "lib", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    program = (
        "import gluon_attn as g; print(g.get_model('cifar_resnet20_v1', 10, attention='eca', pretrained=True).recipe)"
    )
    done = run_command("-c", f"{program}; print(g.__file__)", env={"PYTHONPATH": str(tmp_path / "lib")})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(str(tmp_path))
    assert not list((tmp_path / "lib/gluon_attn/params").glob("*.py"))  # no training script


def test_every_bound_has_its_reason():
    for line in (ROOT / "setup.py").read_text().splitlines():
        if re.match(r'\s+(?:"[\w-]+": \[)?"[\w-]+[<>=]=?[\d.,<>=a-z]+"(?: \+ \w+)?\]?,', line) and "nvidia" not in line:
            assert "  # " in line, line


def test_warnings_that_something_goes_away_are_errors_in_our_own_code():
    for kind in (DeprecationWarning, FutureWarning):
        with pytest.raises(kind, match="old"):
            warnings.warn_explicit("old", kind, "layers.py", 1, module="gluon_attn.nn.layers")
        warnings.warn_explicit("old", kind, "base.py", 1, module="mxnet.base")
