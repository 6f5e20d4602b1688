"""Scalers of scikit-learn: fit on a table, transform another, and back."""

import numpy as np
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler


def min_max(fitted, table):
    scaler = MinMaxScaler().fit(fitted)
    return results(scaler, table, [scaler.data_min_, scaler.data_max_, scaler.scale_, scaler.min_])


def robust(fitted, table):
    scaler = RobustScaler().fit(fitted)
    return results(scaler, table, [scaler.center_, scaler.scale_])


def z_score(fitted, table):
    """StandardScaler squares values, and 1e300 or 5e-324 do not survive that: it is fitted on values scaled by a power
    of two. The mean that it computes of 1e9 and a little is off by several ulps, which is much of the little: it is
    fitted on the distances from the first value, which are exact where it says so. It transforms with that fit, scaled
    and moved back."""
    finite = fitted[np.isfinite(fitted)]
    largest = np.abs(finite).max() if len(finite) else 0.0
    exponent = -900 if largest > 1e150 else 1000 if 0 < largest < 1e-150 else 0
    level = finite[0] if len(finite) and np.all(np.abs(finite - finite[0]) < abs(finite[0]) / 4) else 0.0
    scaler = StandardScaler().fit(np.ldexp(fitted - level, exponent))
    # As the constant columns are found by scikit-learn: with the mean.
    constant = StandardScaler().fit(np.ldexp(fitted, exponent)).scale_ == 1
    scaler.mean_ = level + np.ldexp(scaler.mean_, -exponent)
    scaler.scale_ = np.where(constant, 1.0, np.ldexp(scaler.scale_, -exponent))
    return results(scaler, table, [scaler.mean_, scaler.scale_])


def results(scaler, table, fit):
    there = scaler.transform(table)
    return [np.ravel(np.stack(fit, axis=1)), np.ravel(there), np.ravel(scaler.inverse_transform(there))]
