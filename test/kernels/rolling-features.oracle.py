"""Rolling statistics of pandas."""

import numpy as np
import pandas as pd


def rolling(timestamps_ms, values, window_ms, quantiles):
    """Mean, std (ddof 1) and quantiles of each (t - w, t], as columns.

    pandas squares values, and 1e300 or 5e-324 do not survive that: for mean and std they are scaled by a power of two
    before, and back.
    """
    sizes = np.abs(values[np.isfinite(values)])
    largest = sizes.max() if len(sizes) else 0.0
    exponent = -900 if largest > 1e150 else 900 if 0 < largest < 1e-150 else 0
    scaled = windows(timestamps_ms, np.ldexp(values, exponent), window_ms)
    columns = [np.ldexp(column, -exponent) for column in (scaled.mean(), scaled.std(ddof=1))]
    window = windows(timestamps_ms, values, window_ms)
    return columns + [window.quantile(quantile, interpolation="linear") for quantile in quantiles]


def windows(timestamps_ms, values, window_ms):
    index = pd.to_datetime(timestamps_ms.astype("int64"), unit="ms")
    return pd.Series(values, index=index).rolling(pd.Timedelta(milliseconds=window_ms), min_periods=1)
