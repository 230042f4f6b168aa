"""Cores, limits and flags on made-up machines."""

import pytest

from gluon_attn.utils import cpu


@pytest.fixture
def host(tmp_path):
    """A `Host` with the given files, variables and number of cores."""

    def make(files=None, cores=8, **environ):
        for name, text in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return cpu.Host(environ=environ, root=tmp_path, affinity=lambda: cores, machine="x86_64")

    return make


def v1(mount, path, quota, period=100000):
    folder = f"sys/fs/cgroup/{mount}/{path}".rstrip("/")
    return {f"{folder}/cpu.cfs_quota_us": f"{quota}\n", f"{folder}/cpu.cfs_period_us": f"{period}\n"}


@pytest.mark.parametrize(
    ("group", "files", "limit"),
    [
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "250000 100000\n"}, 2.5),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ("0::/\n", {}, None),
        ("0::/a/b\n", {"sys/fs/cgroup/a/b/cpu.max": "400000 100000", "sys/fs/cgroup/a/cpu.max": "150000 100000"}, 1.5),
        ("0::/a/b\n", {"sys/fs/cgroup/a/b/cpu.max": "50000 100000", "sys/fs/cgroup/a/cpu.max": "max 100000"}, 0.5),
        ("0::/../../x\n", {"sys/fs/cgroup/cpu.max": "300000 100000"}, 3),
        ("1:name=systemd:/\n0::/u\n", {"sys/fs/cgroup/unified/u/cpu.max": "200000 100000"}, 2),
        ("4:cpu,cpuacct:/docker/12\n", v1("cpu,cpuacct", "", 600000), 6),
        ("4:cpu,cpuacct:/docker/12\n", v1("cpu,cpuacct", "docker/12", 600000, 200000), 3),
        ("1:cpu:/\n0::/\n", v1("cpu", "", -1), None),
        ("3:cpuset:/job\n", v1("cpu", "job", 100000), None),
        ("", {}, None),
    ],
)
def test_container_limit(host, group, files, limit):
    assert cpu.cpu_limit(host({"proc/self/cgroup": group, **files})) == limit


@pytest.mark.parametrize(
    ("cores", "quota", "environ", "threads", "said"),
    [
        (8, None, {}, 8, "8 cores usable"),
        (1, None, {}, 1, "1 core usable"),
        (8, 250000, {}, 3, "container limit of 2.5 CPUs"),
        (8, 50000, {}, 1, "container limit of 0.5 CPUs"),
        (2, 800000, {}, 2, "2 cores usable"),
        (8, None, {"HOROVOD_LOCAL_SIZE": "4"}, 2, "shared by 4 processes (HOROVOD_LOCAL_SIZE)"),
        (8, 600000, {"OMPI_COMM_WORLD_LOCAL_SIZE": "2"}, 3, "shared by 2 processes (OMPI_COMM_WORLD_LOCAL_SIZE)"),
        (8, None, {"MPI_LOCALNRANKS": "3"}, 2, "shared by 3"),
        (2, None, {"HOROVOD_LOCAL_SIZE": "16"}, 1, "shared by 16"),
        (8, None, {"HOROVOD_LOCAL_SIZE": "many"}, 8, "8 cores usable"),
        (8, None, {"HOROVOD_LOCAL_SIZE": "0"}, 8, "8 cores usable"),
        (8, None, {"HOROVOD_LOCAL_SIZE": "2", "OMPI_COMM_WORLD_LOCAL_SIZE": "8"}, 4, "HOROVOD_LOCAL_SIZE"),
    ],
)
def test_threads(host, cores, quota, environ, threads, said):
    files = {"proc/self/cgroup": "0::/\n"}
    if quota:
        files["sys/fs/cgroup/cpu.max"] = f"{quota} 100000"
    count, reason = cpu.threads(host(files, cores, **environ))
    assert count == threads
    assert said in reason


def test_flags_and_name(host):
    text = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx2 amx_tile\nflags\t\t: other\n"
    machine = host({"proc/cpuinfo": text})
    assert cpu.flags(machine) == {"fpu", "avx2", "amx_tile"}
    assert cpu.model_name(machine) == "Some CPU @ 2 GHz"


def test_without_proc(host):
    assert cpu.flags(host()) == frozenset()
    assert cpu.model_name(host()) == "x86_64"


def test_this_machine():
    count, reason = cpu.threads(cpu.Host(environ={}))
    assert 1 <= count <= cpu.Host().affinity()
    assert reason


def test_systems_without_affinity(monkeypatch):
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    assert cpu.Host().affinity() == 6
