"""Runs a step as the trainer does: its own process, inputs and outputs by environment."""

import os
import subprocess
import sys
from collections import namedtuple

from tests.samples import STEPS

Ended = namedtuple("Ended", ["code", "out", "err"])


def run_a_step(script, inputs, outputs, *words, **environment):
    os.makedirs(outputs, exist_ok=True)
    variables = {**os.environ, "VH_INPUTS_DIR": inputs, "VH_OUTPUTS_DIR": outputs, "OMP_WAIT_POLICY": "PASSIVE", **environment}
    variables.pop("EDGELOOP_WORK_DIR", None)
    done = subprocess.run([sys.executable, os.path.join(STEPS, script), *words], env=variables, capture_output=True, text=True, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)
