"""Trends: scipy's regression, Prometheus's by its definition, pandas' values as of a time."""

import math

import numpy as np
import pandas as pd
from scipy.stats import linregress


def slopes(timestamps_ms, values):
    """Slope per second of scipy.stats.linregress and of Prometheus's deriv over the finite values.

    Both multiply values, and 1e300 or 5e-324 do not survive that: they are scaled by a power of two before, and back.
    """
    finite = np.isfinite(values)
    seconds = (timestamps_ms - timestamps_ms[0])[finite] / 1000
    sizes = np.abs(values[finite])
    if len(sizes) < 2:
        return np.array([np.nan, np.nan])
    exponent = -900 if sizes.max() > 1e150 else 900 if 0 < sizes.max() < 1e-150 else 0
    scaled = np.ldexp(values[finite], exponent)
    return np.ldexp([linregress(seconds, scaled).slope, deriv(seconds - seconds[0], scaled)], -exponent)


def deriv(seconds, values):
    """linearRegression of promql/functions.go: sums as by Kahan and Neumaier, which math.fsum does not fall short of."""
    if (values == values[0]).all():
        return 0.0
    n = len(values)
    sum_x, sum_y = math.fsum(seconds), math.fsum(values)
    sum_xy, sum_x2 = math.fsum(seconds * values), math.fsum(seconds * seconds)
    return (sum_xy - sum_x * sum_y / n) / (sum_x2 - sum_x * sum_x / n)


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
