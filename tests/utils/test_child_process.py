import subprocess
import sys
from pathlib import Path

import gluon_attn
from gluon_attn.utils.child_process import child_environment


def test_a_child_imports_what_this_process_does(tmp_path, monkeypatch):
    for name in ("given", "inserted"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}_module.py").write_text(f"name = {name!r}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "given"))
    monkeypatch.syspath_prepend(str(tmp_path / "inserted"))
    program = "import os, given_module, inserted_module, gluon_attn.utils as u; print(u.__file__, os.environ['ODD'])"
    environment = child_environment(ODD="1")
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{Path(gluon_attn.__file__).parent / 'utils' / '__init__.py'} 1\n"


def test_folders_are_named_once_and_this_process_keeps_its_own(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setattr(sys, "path", ["", "/somewhere", "/else"])
    root = str(Path(gluon_attn.__file__).parents[1])
    assert child_environment()["PYTHONPATH"].split(":") == [root, "/somewhere", "/else"]
    assert child_environment(PYTHONPATH="x")["PYTHONPATH"] == "x"
