"""Trends: scipy's regression, Prometheus's by its definition, pandas' values as of a time."""

import math

import numpy as np
import pandas as pd
from scipy.stats import linregress


def slope(timestamps_ms, values):
    """Slope per second of scipy.stats.linregress over the finite values.

    It multiplies values, and 1e300 or 5e-324 do not survive that: they are scaled by a power of two before, and back.
    """
    finite = np.isfinite(values)
    seconds = (timestamps_ms - timestamps_ms[0])[finite] / 1000
    sizes = np.abs(values[finite])
    if len(sizes) < 2:
        return np.nan
    exponent = -900 if sizes.max() > 1e150 else 900 if 0 < sizes.max() < 1e-150 else 0
    return np.ldexp(linregress(seconds, np.ldexp(values[finite], exponent)).slope, -exponent)


def deriv(timestamps_ms, values):
    """linearRegression of promql/functions.go over the samples that are there, sums by Kahan and Neumaier."""
    present = ~np.isnan(values)
    y = values[present].tolist()
    if len(y) < 2:
        return np.nan
    if y.count(y[0]) == len(y):
        return np.nan if math.isinf(y[0]) else 0.0
    n = float(len(y))
    x = [float(ms) / 1e3 for ms in timestamps_ms[present] - timestamps_ms[present][0]]
    sum_x, sum_y = kahan_sum(x), kahan_sum(y)
    sum_xy, sum_x2 = kahan_sum([a * b for a, b in zip(x, y)]), kahan_sum([a * a for a in x])
    covariance = sum_xy - sum_x * sum_y / n
    return covariance / (sum_x2 - sum_x * sum_x / n)


def kahan_sum(terms):
    total, loss = 0.0, 0.0
    for term in terms:
        following = total + term
        if math.isinf(following):
            loss = 0.0
        elif abs(total) >= abs(term):
            loss += (total - following) + term
        else:
            loss += (term - following) + total
        total = following
    return total + loss


def momentum(timestamps_ms, values, lag_ms, tolerance_ms):
    """x(t) minus x as of t - lag, and that in per cent, by pandas merge_asof. What is not finite is no value."""
    stamps = timestamps_ms.astype("int64")
    present = np.isfinite(values)
    rows = pd.DataFrame({"at": stamps - int(lag_ms), "x": np.where(present, values, np.nan)})
    known = pd.DataFrame({"at": stamps[present], "base": values[present]})
    merged = pd.merge_asof(rows, known, on="at", direction="backward", tolerance=int(tolerance_ms))
    absolute = merged["x"] - merged["base"]
    relative = absolute / merged["base"].replace(0, np.nan) * 100
    return [absolute, relative]


def linregress_seconds(timestamps_ms, values, repeats):
    """Seconds of processor time that linregress takes for one window."""
    import time

    seconds = (timestamps_ms - timestamps_ms[0]) / 1000
    start = time.process_time()
    for _ in range(int(repeats)):
        linregress(seconds, values)
    return (time.process_time() - start) / repeats
