"""Rolling statistics of pandas."""

import time

import numpy as np
import pandas as pd


def rolling(timestamps_ms, values, window_ms, quantiles, alone):
    """Mean, std (ddof 1) and quantiles of each (t - w, t], as columns.

    pandas squares values, and 1e300 or 5e-324 do not survive that: for mean and std they are scaled by a power of two
    before, and back. Its running sums of squares keep the rounding errors of larger values that have left the window,
    so real counters are off by more than 1e-9: `alone` computes the std of each window by itself.
    """
    sizes = np.abs(values[np.isfinite(values)])
    largest = sizes.max() if len(sizes) else 0.0
    exponent = -900 if largest > 1e150 else 900 if 0 < largest < 1e-150 else 0
    scaled = windows(timestamps_ms, np.ldexp(values, exponent), window_ms)
    std = scaled.apply(lambda window: window.std(ddof=1), raw=True) if alone else scaled.std(ddof=1)
    columns = [np.ldexp(column, -exponent) for column in (scaled.mean(), std)]
    window = windows(timestamps_ms, values, window_ms)
    return columns + [window.quantile(quantile, interpolation="linear") for quantile in quantiles]


def windows(timestamps_ms, values, window_ms):
    index = pd.to_datetime(timestamps_ms.astype("int64"), unit="ms")
    return pd.Series(values, index=index).rolling(pd.Timedelta(milliseconds=window_ms), min_periods=1)


def seconds(timestamps_ms, values, window_ms, quantiles):
    """Processor time of mean and std, and of the quantiles, of all rows: the medians of five runs."""
    window = windows(timestamps_ms, values, window_ms)

    def moments():
        window.mean()
        window.std(ddof=1)

    def sorts():
        for quantile in quantiles:
            window.quantile(quantile, interpolation="linear")

    return np.array([median_seconds(moments), median_seconds(sorts)])


def median_seconds(work):
    runs = []
    for _ in range(5):
        before = time.process_time()
        work()
        runs.append(time.process_time() - before)
    return np.median(runs)
