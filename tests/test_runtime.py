"""What `import gluon_attn` does before MXNet loads, mostly in processes of their own."""

import importlib.machinery
import json
import logging
import shutil
import subprocess
from pathlib import Path

import pytest

import gluon_attn
from gluon_attn import runtime
from gluon_attn.utils import cpu, cuda

ROOT = Path(__file__).resolve().parents[1]
#: takes away what this process has set, and what a launcher may have
UNSET = dict.fromkeys(
    ("OMP_NUM_THREADS", "DNNL_MAX_CPU_ISA", "OPENBLAS_CORETYPE", "GLUON_ATTN_RUNTIME", *cpu.LOCAL_SIZE)
)
SHOW = "import json, gluon_attn.runtime as r; print(json.dumps(r.report().threads.__dict__))"


@pytest.fixture
def site(tmp_path):
    """A folder that comes first on the path of a command; returns (write(name, text), the environment)."""
    folder = tmp_path / "site"

    def write(name, text=""):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write, {**UNSET, "PYTHONPATH": f"{folder}:{ROOT}"}


def test_import_does_not_load_mxnet(run_command):
    code = "import sys, gluon_attn; print([n for n in ('mxnet', 'gluoncv', 'matplotlib') if n in sys.modules])"
    assert run_command("-c", code).stdout == "[]\n"


def test_public_names_load_when_used():
    for name in gluon_attn.__all__:
        assert getattr(gluon_attn, name)
    assert set(gluon_attn.__all__) <= set(dir(gluon_attn))
    with pytest.raises(AttributeError, match="no_such_name"):
        gluon_attn.no_such_name  # noqa: B018


def test_aliases_come_back_without_a_warning(run_command):
    code = "import gluon_attn, numpy as np; print(np.int is int, np.object is object, np.str is str)"
    result = run_command("-W", "error", "-c", code)
    assert (result.stdout, result.stderr) == ("True True True\n", "")


def test_mxnet_uses_the_threads_that_were_set(run_command):
    code = (
        "import gluon_attn, mxnet as mx, ctypes; mx.nd.ones(2).asnumpy(); "
        "print(gluon_attn.runtime.report().threads.value, ctypes.CDLL('libgomp.so.1').omp_get_max_threads())"
    )
    for own in (None, "3"):
        value, used = run_command("-c", code, env={**UNSET, "OMP_NUM_THREADS": own}).stdout.split()
        assert value == used
        assert own in (None, used)


def test_threads_of_the_user_win(run_command):
    result = run_command("-c", SHOW, env={**UNSET, "OMP_NUM_THREADS": "5"})
    assert json.loads(result.stdout) == {"value": "5", "reason": "OMP_NUM_THREADS is set by you"}


def test_threads_follow_the_affinity(run_command):
    code = "import os; os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1]); "
    result = json.loads(run_command("-c", code + SHOW, env=UNSET).stdout)
    assert result == {"value": "1", "reason": "1 core usable by this process"}


def test_threads_are_shared_by_horovod_processes(run_command):
    result = run_command("-c", SHOW, env={**UNSET, "HOROVOD_LOCAL_SIZE": "64"})
    assert json.loads(result.stdout)["value"] == "1"
    assert "HOROVOD_LOCAL_SIZE" in result.stdout


def test_mxnet_imported_first_is_warned_about_once(run_command, site):
    write, env = site
    write("mxnet/__init__.py")
    code = "import mxnet, gluon_attn, importlib; importlib.reload(gluon_attn); print(gluon_attn.runtime.report().late)"
    late = run_command("-W", "always", "-c", code, env=env)
    assert late.stderr.count("MXNet was imported first, too early to set OMP_NUM_THREADS") == 1
    assert "OMP_NUM_THREADS" in late.stdout
    given = {"OMP_NUM_THREADS": "2", "GLUON_ATTN_AMX": "0", "OPENBLAS_CORETYPE": "Haswell"}
    in_time = run_command("-W", "always", "-c", code, env={**env, **given})
    assert in_time.stdout == "()\n"
    assert "too early" not in in_time.stderr


BLOCKS = {
    "in sys.modules": "import sys; sys.modules['mxnet'] = None",
    "by a finder": """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "mxnet":
            raise ModuleNotFoundError("no", name=name)
sys.meta_path.insert(0, Finder())
""",
}


@pytest.fixture(params=BLOCKS)
def without_mxnet(request, site):
    write, env = site
    write("sitecustomize.py", BLOCKS[request.param])
    return env


def test_missing_mxnet_is_an_import_error_of_one_line(run_command, without_mxnet):
    result = run_command("-c", "import gluon_attn", env=without_mxnet)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == f"ImportError: {runtime.NO_MXNET}"


@pytest.mark.parametrize("script", [None, "gluon-attn", "train_cifar.py"])
def test_commands_without_mxnet_print_one_line(run_command, without_mxnet, tmp_path, script):
    arguments = ["-m", "gluon_attn"]
    if script:
        arguments = [tmp_path / script]
        arguments[0].write_text("import sys\nfrom gluon_attn.cli import main\nsys.exit(main())\n")
    result = run_command(*arguments, "doctor", env=without_mxnet)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"error: {runtime.NO_MXNET}\n")


def test_a_folder_named_mxnet_is_not_mxnet(monkeypatch, tmp_path):
    (tmp_path / "mxnet").mkdir()
    spec = importlib.machinery.PathFinder.find_spec("mxnet", [str(tmp_path)])
    assert spec is not None
    assert runtime.obstacle({}, lambda name: spec) == runtime.NO_MXNET


@pytest.mark.parametrize(
    ("missing", "line"), [(["numpy"], "NumPy is missing"), (["distutils", "setuptools"], "pip install setuptools")]
)
def test_other_obstacles_are_one_line(missing, line):
    spec = importlib.machinery.ModuleSpec("any", None, origin="somewhere")
    problem = runtime.obstacle({}, lambda name: None if name in missing else spec)
    assert line in problem
    assert "\n" not in problem


@pytest.mark.parametrize(("version", "refused"), [("1.26.4", False), ("2.4.6", False), ("3.0.0", True)])
def test_a_numpy_that_was_not_tried_is_one_line(version, refused, monkeypatch):
    monkeypatch.setattr("numpy.__version__", version)
    line = f"MXNet was not tried with NumPy {version}: pip install 'numpy{runtime.NUMPY}'"
    assert runtime.obstacle() == (line if refused else None)


def test_missing_libraries_of_the_system_are_one_line(monkeypatch):
    monkeypatch.setattr(runtime, "missing_packages", lambda: ["libgomp1", "libgl1"])
    assert runtime.obstacle().startswith("libraries of the system are missing: apt install libgomp1 libgl1, ")


def test_start_again_changes_nothing():
    before = runtime.report()
    runtime.start()
    assert runtime.report() is before
    assert before.problem is None


def test_nothing_is_set_when_mxnet_cannot_load(tmp_path):
    host = cpu.Host({}, tmp_path, lambda: 2, lambda: None, "x86_64")
    assert runtime.prepare(host, {"mxnet": None}) == runtime.Report(problem=runtime.NO_MXNET)
    assert host.environ == {}


@pytest.fixture
def fresh_gpus():
    """The answers about GPUs are cached; a test with other GPUs clears the cache before and after."""
    for function in (runtime.gpus, runtime._usable):
        function.cache_clear()
    yield
    for function in (runtime.gpus, runtime._usable):
        function.cache_clear()


def test_cards_without_code_count_as_absent(monkeypatch, caplog, fresh_gpus):
    cards = [{"id": n, "name": f"card {n}", "capability": c} for n, c in enumerate([(8, 6), (9, 0), (7, 5)])]
    monkeypatch.setattr(cuda, "cards", lambda: (cards, None))
    monkeypatch.setattr(runtime, "_report", runtime.Report(wheel=("mxnet-cu112", "1.9.1")))
    with caplog.at_level(logging.WARNING, "gluon_attn"):
        assert runtime.usable_gpus() == [0, 2]
        assert runtime.usable_gpus() == [0, 2]
    assert caplog.messages == [f"GPU 1 (card 1) is not used: {cuda.unusable((9, 0))}"]


def test_a_silent_driver_is_said_once(monkeypatch, caplog, fresh_gpus):
    monkeypatch.setattr(cuda, "cards", lambda: ([], "the driver is ill"))
    monkeypatch.setattr(runtime, "_report", runtime.Report(wheel=("mxnet-cu112", "1.9.1")))
    with caplog.at_level(logging.WARNING, "gluon_attn"):
        assert runtime.usable_gpus() == []
        assert runtime.usable_gpus() == []
    assert caplog.messages == ["no GPU: the driver is ill"]


def test_the_cpu_wheel_asks_no_driver(monkeypatch, fresh_gpus):
    monkeypatch.setattr(cuda, "cards", lambda: pytest.fail("the driver was asked"))
    monkeypatch.setattr(runtime, "_report", runtime.Report(wheel=("mxnet", "1.9.1")))
    assert runtime.usable_gpus() == []


def cu112(write):
    """Makes mxnet-cu112 look installed."""
    write("mxnet_cu112-1.9.1.dist-info/METADATA", "Name: mxnet-cu112\nVersion: 1.9.1\n")
    write("mxnet_cu112-1.9.1.dist-info/RECORD", "mxnet/libmxnet.so,,0\n")
    write("mxnet/__init__.py")
    write("mxnet/libmxnet.so")


def test_cu112_without_a_driver_names_the_cpu_wheel(run_command, site):
    write, env = site
    cu112(write)
    write("sitecustomize.py", "import gluon_attn.utils.cuda as c; c.DRIVER = 'libcuda-absent.so.1'")
    write("gluon_attn/__init__.py", f"__path__ = [{str(ROOT / 'gluon_attn')!r}]")  # for sitecustomize: not started
    code = "import gluon_attn.runtime as r; r.start()"
    result = run_command("-c", code, env=env)
    assert result.stderr.splitlines()[-1] == f"ImportError: {cuda.NO_DRIVER}"


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not here")
def test_cu112_loads_its_libraries_and_finds_the_cards(run_command, site, tmp_path):
    write, env = site
    cu112(write)
    source = write("driver.c", DRIVER)
    driver = source.parent / cuda.DRIVER
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", driver, source], check=True)
    for row in cuda.LIBRARIES:
        shutil.copy(driver, source.parent / row[2])
    code = (
        "import gluon_attn.runtime as r; print(r.report().cuda.reason); print(r.usable_gpus()); "
        "print(sum('libcudnn.so.8' in line for line in open('/proc/self/maps')) > 0)"
    )
    result = run_command("-c", code, env={**env, "LD_LIBRARY_PATH": str(source.parent)})
    assert result.stdout.splitlines() == ["9 CUDA 11 libraries loaded", "[0]", "True"]
    assert "GPU 1 () is not used: the wheel mxnet-cu112" in result.stderr


#: a driver with two cards, of capability 8.0 and 9.0
DRIVER = """
int cuInit(unsigned flags) { return 0; }
int cuDeviceGetCount(int *count) { *count = 2; return 0; }
int cuDeviceGet(int *device, int number) { *device = number; return 0; }
int cuDeviceGetName(char *name, int size, int device) { name[0] = 0; return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? 8 + device : 0;
    return 0;
}
"""
