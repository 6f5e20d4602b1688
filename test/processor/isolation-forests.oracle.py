"""Runs the documentation's example, which fits a forest of scikit-learn and writes it."""

import os

import numpy as np


def run_example(example, folder, values, judged):
    """Scores and verdicts of other values by the forest that the example fits to these."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        np.savetxt("latency.csv", values, fmt="%.17g")
        names = {}
        exec(example, names)
    finally:
        os.chdir(before)
    forest = names["forest"]
    table = judged.reshape(-1, 1)
    return [-forest.score_samples(table), (forest.predict(table) < 0).astype(float)]
