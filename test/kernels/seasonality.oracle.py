"""Seasonal decomposition of statsmodels, and what is measured of it."""

import time

import numpy as np
from statsmodels.tsa.seasonal import STL, seasonal_decompose


def parts(result):
    return [np.asarray(part, dtype=float) for part in (result.trend, result.seasonal, result.resid)]


def decompose(values, period, model, two_sided):
    return parts(seasonal_decompose(values, model=model, period=int(period), two_sided=two_sided))


def stl(values, period, seasonal, robust):
    return parts(STL(values, period=int(period), seasonal=int(seasonal), robust=robust).fit())


def robust_movement(values, period, seasonal):
    """How far robust STL's own answer moves where the values move by their last bit, as a share of the largest."""
    answer = np.array(stl(values, period, seasonal, True))
    ulps = np.random.default_rng(1).choice([-1, 0, 1], (3, len(values))) * 2.0**-52
    moved = [np.abs(np.array(stl(values * (1 + ulp), period, seasonal, True)) - answer).max() for ulp in ulps]
    return max(moved) / np.abs(values).max()


def decompose_seconds(values, period, two_sided, repeats):
    start = time.process_time()
    for _ in range(int(repeats)):
        seasonal_decompose(values, period=int(period), two_sided=two_sided)
    return (time.process_time() - start) / repeats


def stl_seconds(values, period, robust, repeats):
    start = time.process_time()
    for _ in range(int(repeats)):
        STL(values, period=int(period), robust=robust).fit()
    return (time.process_time() - start) / repeats
