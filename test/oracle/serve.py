"""Answers the calls of python.ts: one JSON line {"call", "arguments"} in, one {"result"} or {"error"} out.

Arrays of doubles travel as {"float64": base64, "shape": [...]}, little-endian, to the bit. What a line's call names is
a function of the module whose file is the first argument.
"""

import base64
import importlib.util
import json
import pathlib
import sys
import traceback
import warnings

import numpy as np


def decode(value):
    if isinstance(value, dict):
        if "float64" in value:
            flat = np.frombuffer(base64.b64decode(value["float64"]), dtype="<f8").copy()
            return flat.reshape(value["shape"])
        return {key: decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [decode(item) for item in value]
    return value


def encode(value):
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if isinstance(value, np.ndarray):
        doubles = np.ascontiguousarray(value, dtype="<f8")
        return {"float64": base64.b64encode(doubles.tobytes()).decode(), "shape": list(doubles.shape)}
    if isinstance(value, (float, np.floating)):
        return encode(np.array([value]))
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def load(file):
    path = pathlib.Path(file)
    sys.path.insert(0, str(path.parent))
    specification = importlib.util.spec_from_file_location(path.stem.replace("-", "_"), path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def main():
    # What a library prints goes to standard error: standard output belongs to the answers.
    answers = sys.stdout
    sys.stdout = sys.stderr
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    module = load(sys.argv[1])
    for line in sys.stdin:
        try:
            request = json.loads(line)
            answer = {"result": encode(getattr(module, request["call"])(*decode(request["arguments"])))}
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


main()
