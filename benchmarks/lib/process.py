"""Sides of a comparison in processes of their own: two runtimes in one process would fight for the cores.

A side's module calls `serve`. Each line of its input is JSON: a mapping builds, a name calls that method of what was
built; each answer is a line: what the method returned, or the seconds it took, or {"error"} for what cannot be done.
With CLOCK=processor in its environment a side counts the processor's seconds, for one thread on a busy machine.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
clock = time.process_time if os.environ.get("CLOCK") == "processor" else time.perf_counter


class Peer:
    """One side's process: `python -m MODULE SIDE`. python: another interpreter than this one."""

    def __init__(self, module, *side, python=sys.executable, **environment):
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(
            [python, "-m", module, *side], cwd=ROOT, env={**os.environ, **environment},
            stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def ask(self, order):
        """Its answer to one order; what it could not do is a RuntimeError."""
        print(json.dumps(order), file=self.child.stdin, flush=True)
        line = self.child.stdout.readline()
        if not line:
            raise RuntimeError("the process ended")
        answer = json.loads(line)
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self):
        """End the process."""
        self.child.stdin.close()
        self.child.wait()


def serve(make):
    """Answer until the input ends. make: called with each mapping."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    made = None
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if isinstance(order, dict):
                made = None  # frees the last one's memory
                made, answer = make(**order), 0.0
            else:
                start = clock()
                answer = getattr(made, order)()
                answer = clock() - start if answer is None else answer
        except Exception as error:  # the table says so, the others go on
            made, answer = None, {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        print(json.dumps(answer), file=answers, flush=True)
