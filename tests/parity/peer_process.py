"""A program in another Python, asked in lines of JSON."""

import contextlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

#: a Python with torch, torchvision and timm, such as that of an environment of its own
PEERS = os.environ.get("GLUON_ATTN_PEERS")


@contextlib.contextmanager
def asking(python: str, program: str) -> Iterator[Callable[[dict], dict]]:
    """A context with a function that asks a program of this folder: what it answers to a row."""
    words = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with subprocess.Popen([python, str(Path(__file__).with_name(program))], env=env, **words) as process:

        def ask(row: dict) -> dict:
            process.stdin.write(json.dumps(row) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline() or '{"error": "the other Python ended"}')
            assert "error" not in answer, f"{row}: {answer['error']}"
            return answer

        yield ask
        process.stdin.close()
