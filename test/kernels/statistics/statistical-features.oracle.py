"""Features of tsfresh, and the statistics of scipy and pandas."""

import time

import numpy as np
import pandas as pd
from scipy import stats
from tsfresh.feature_extraction import feature_calculators as tsfresh


def features(values, lags, supports, sigmas):
    """In doubles, tsfresh's means and variances lose digits that counts above the mean, or the variance of 1e9 and a
    little, cannot do without; and 1e300 or 5e-324 do not survive squaring. So it is called with numpy's extended
    precision, and with values scaled by a power of two. What only takes doubles (pandas) gets the distances from the
    mean."""
    values = values[np.isfinite(values)]
    if len(values) == 0:
        # tsfresh answers 0 for some, and throws for others.
        return np.full(16 + len(lags) + len(supports) + len(sigmas), np.nan)
    exponent = -int(np.frexp(np.abs(values).max())[1])
    x = np.ldexp(values.astype(np.longdouble), exponent)
    distances = x - np.mean(x)
    # Its autocorrelation knows no variance below 1e-8.
    spread = np.abs(distances).max()
    spread = np.ldexp(distances, 10 - int(np.frexp(spread)[1])) if spread > 0 else distances

    def back(value, power):
        return float(np.ldexp(np.longdouble(value), -exponent * power))

    fixed = [
        back(tsfresh.variance(x), 2),
        tsfresh.skewness(distances.astype(float)),
        tsfresh.kurtosis(distances.astype(float)),
        back(tsfresh.abs_energy(x), 2),
        back(tsfresh.mean_abs_change(x), 1),
        back(tsfresh.mean_change(x), 1),
        back(tsfresh.cid_ce(x, normalize=False), 1),
        tsfresh.cid_ce(x, normalize=True),
        tsfresh.count_above_mean(x),
        tsfresh.count_below_mean(x),
        tsfresh.longest_strike_above_mean(x),
        tsfresh.longest_strike_below_mean(x),
        tsfresh.first_location_of_maximum(x),
        tsfresh.last_location_of_maximum(x),
        tsfresh.first_location_of_minimum(x),
        tsfresh.last_location_of_minimum(x),
    ]
    return np.array(
        fixed
        + [tsfresh.autocorrelation(spread, int(lag)) for lag in lags]
        + [tsfresh.number_peaks(x, int(support)) for support in supports]
        # A value that lies exactly r sigma away is not beyond, whatever rounding says.
        + [tsfresh.ratio_beyond_r_sigma(x, sigma * (1 + 2.0**-40)) for sigma in sigmas],
        dtype=float,
    )


def window_statistics(values):
    """min, max, count, median absolute deviation and coefficient of variation.

    pandas counts infinities, which are no values to Millrace. The variation is that of distances and mean in extended
    precision; without a mean there is none (scipy: infinity)."""
    values = values[np.isfinite(values)]
    series = pd.Series(values)
    if len(values) == 0:
        return np.array([np.nan, np.nan, 0, np.nan, np.nan])
    x = np.ldexp(values.astype(np.longdouble), -int(np.frexp(np.abs(values).max())[1]))
    variation = stats.variation(x, ddof=1)
    return np.array(
        [
            series.min(),
            series.max(),
            series.count(),
            stats.median_abs_deviation(values),
            variation if np.isfinite(variation) else np.nan,
        ],
        dtype=float,
    )


def seconds(values, window, rows, lags, supports, sigmas):
    """What tsfresh takes for the features of so many windows."""
    calculators = [
        tsfresh.variance, tsfresh.skewness, tsfresh.kurtosis, tsfresh.abs_energy, tsfresh.mean_abs_change,
        tsfresh.mean_change, tsfresh.count_above_mean, tsfresh.count_below_mean, tsfresh.longest_strike_above_mean,
        tsfresh.longest_strike_below_mean, tsfresh.first_location_of_maximum, tsfresh.last_location_of_maximum,
        tsfresh.first_location_of_minimum, tsfresh.last_location_of_minimum,
    ]  # fmt: skip
    started = time.process_time()
    for end in range(window, window + rows):
        x = values[end - window : end]
        for calculator in calculators:
            calculator(x)
        for normalize in (False, True):
            tsfresh.cid_ce(x, normalize)
        for lag in lags:
            tsfresh.autocorrelation(x, int(lag))
        for support in supports:
            tsfresh.number_peaks(x, int(support))
        for sigma in sigmas:
            tsfresh.ratio_beyond_r_sigma(x, sigma)
    return time.process_time() - started
