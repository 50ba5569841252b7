"""Valohai's run-time conventions: where inputs and outputs lie, parameters, metadata lines, and how a step fails.

Runs the same inside Valohai and as a plain local process: VH_INPUTS_DIR and VH_OUTPUTS_DIR say where, and default to
Valohai's own folders.
"""

import json
import os
import sys
import traceback

from failures import EXIT_BAD_INPUT, StepFailure

EXIT_FAILED = 1


def inputs_dir(name):
    return os.path.join(os.environ.get("VH_INPUTS_DIR", "/valohai/inputs"), name)


def outputs_dir():
    folder = os.environ.get("VH_OUTPUTS_DIR", "/valohai/outputs")
    os.makedirs(folder, exist_ok=True)
    return folder


def input_file(name, endings, optional=False):
    """The only file of an input with one of the endings; None where an optional input has none."""
    folder = inputs_dir(name)
    found = sorted(item for item in os.listdir(folder) if item.endswith(tuple(endings))) if os.path.isdir(folder) else []
    if len(found) == 1:
        return os.path.join(folder, found[0])
    if not found and optional:
        return None
    raise StepFailure(f"input {name}: expected one file ending in {' or '.join(endings)} in {folder}, found {len(found)}")


def metadata(**values):
    """One line of Valohai metadata: exactly one JSON object on its own line of the standard output."""
    sys.stdout.write(json.dumps(values, allow_nan=False) + "\n")
    sys.stdout.flush()


def log(message):
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def write_json(path, value):
    """Whole or not at all, keys in order, so that the same content gives the same bytes."""
    with open(path + ".partial", "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2, sort_keys=True)
        file.write("\n")
    os.replace(path + ".partial", path)


def run_step(main):
    """Runs a step's main; a StepFailure becomes one line and exit code 2, anything else a trace and exit code 1."""
    try:
        main()
    except StepFailure as failure:
        log(f"error: {failure}")
        sys.exit(EXIT_BAD_INPUT)
    except MemoryError:
        log("error: out of memory; train with a smaller --batch or on a machine with more memory")
        sys.exit(EXIT_FAILED)
    except OSError as cause:
        traceback.print_exc()
        log(f"error: {cause.strerror or cause}: {cause.filename or 'no file named'}; check free disk space and permissions")
        sys.exit(EXIT_FAILED)
