"""Peak memory, and free memory on made-up machines."""

import json

import pytest

from gluon_attn.utils import cpu
from gluon_attn.utils.process_memory import available

FREE = {"proc/meminfo": "MemTotal:  16000 kB\nMemAvailable:    4000 kB\n"}
V2, V1 = {"proc/self/cgroup": "0::/a\n"}, {"proc/self/cgroup": "4:memory:/a\n"}


def test_the_peak_grows_with_what_is_held_and_stays(run_command):
    """In a process of its own, which has held little so far: more than that must be allocated."""
    code = """if True:
        import json
        from gluon_attn.utils.process_memory import peak
        peaks = [peak()]
        held = bytearray(b"x") * (peaks[0] + 2**26)
        peaks.append(peak())
        del held
        peaks.append(peak())
        print(json.dumps(peaks))
    """
    before, with_it, after = json.loads(run_command("-c", code).stdout)
    assert with_it > before + 2**25
    assert after > before + 2**25


def group(folder, limit, used):
    names = (
        ("memory.limit_in_bytes", "memory.usage_in_bytes") if "memory" in folder else ("memory.max", "memory.current")
    )
    return {f"sys/fs/cgroup/{folder}/{name}": f"{text}\n" for name, text in zip(names, (limit, used), strict=True)}


@pytest.mark.parametrize(
    ("files", "environ", "expected"),
    [
        ({}, {}, 2**32),
        (FREE, {}, 4096000),
        (FREE, {"HOROVOD_LOCAL_SIZE": "4"}, 1024000),
        (FREE | V2 | group("a", 3000000, 1000000), {}, 2000000),
        (FREE | V2 | group("a", "max", 1000000), {}, 4096000),
        (FREE | V2 | group("a", 9000000, 1000000), {}, 4096000),
        (FREE | V2 | group("a", 1000000, 3000000), {}, 0),
        (FREE | V1 | group("memory/a", 3000000, 2000000), {}, 1000000),
        (V1 | group("memory", 3000000, 2000000), {}, 1000000),
    ],
)
def test_what_is_free(tmp_path, files, environ, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert available(cpu.Host(environ=environ, root=tmp_path)) == expected
