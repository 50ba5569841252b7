"""Run with `python -m unittest discover -s tests -t .` in examples/hardhat."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "steps"))
