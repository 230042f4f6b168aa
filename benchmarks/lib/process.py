"""Each side of a comparison runs in a process of its own: two runtimes in one process would compete for the cores.

The module of a side calls `serve`, which reads requests from standard input, one JSON value per line. An object holds
the arguments of the side's constructor; a string names a method of the object that was made. The response is one line:
what the method returned, or the seconds it took if it returned None, or {"error": ...}. With CLOCK=processor in its
environment a side counts processor time in place of elapsed time, for one thread on a busy machine.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
#: whether processor time is counted
PROCESSOR = os.environ.get("CLOCK") == "processor"
#: what stands before a command that counts it
CLOCK = "CLOCK=processor " * PROCESSOR
clock = time.process_time if PROCESSOR else time.perf_counter


class Peer:
    """The process of one side: `python -m MODULE SIDE`.

    Args:
        module: Dotted name of the module that calls `serve`.
        *side: Arguments of its command line.
        python: Path of the interpreter.
        **environment: Variables that are added to those of this process.
    """

    def __init__(self, module: str, *side: str, python: str = sys.executable, **environment: str):
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(
            [python, "-m", module, *side], cwd=ROOT, env={**os.environ, **environment},
            stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self._requests, self._responses = self.child.stdin, self.child.stdout

    def ask(self, order: dict[str, Any] | str) -> Any:
        """Send one request and wait for the response.

        Args:
            order: Arguments of the side's constructor, or the name of a method.

        Returns:
            What the method returned, or the seconds that it took.

        Raises:
            RuntimeError: The side failed or its process ended.
        """
        print(json.dumps(order), file=self._requests, flush=True)
        line = self._responses.readline()
        if not line:
            raise RuntimeError("the process ended")
        answer = json.loads(line)
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        self._requests.close()
        self.child.wait()


def serve(make: Callable[..., Any]) -> None:
    """Answer requests until the input ends.

    Args:
        make: Class or function that is called with the arguments of each request that is an object.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not be taken for a response
    made: Any = None
    answer: Any
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if isinstance(order, dict):
                made = None  # frees the memory of the object before
                made, answer = make(**order), 0.0
            else:
                start = clock()
                answer = getattr(made, order)()
                answer = clock() - start if answer is None else answer
        except Exception as error:  # the table shows it, other measurements continue
            made, answer = None, {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        print(json.dumps(answer), file=answers, flush=True)
