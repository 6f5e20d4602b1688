"""Fills of tables by pandas and scikit-learn."""

import time

import numpy as np
import pandas as pd
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import BayesianRidge


def finite(values):
    return np.where(np.isfinite(values), values, np.nan)


def simple(values, strategy):
    """Of the series as a table of one column."""
    imputer = SimpleImputer(strategy=strategy, keep_empty_features=False)
    filled = imputer.fit_transform(finite(values).reshape(-1, 1))
    return np.where(np.isnan(values), filled[:, 0] if filled.shape[1] else np.nan, values)


def grouped(values, groups, statistic):
    series = pd.Series(finite(values))
    whole = series.mean() if statistic == "mean" else series.median()
    estimates = series.groupby(groups).transform(statistic).fillna(whole)
    return np.where(np.isnan(values), estimates, values)


def iterative(values):
    return IterativeImputer(BayesianRidge(), max_iter=10, tol=1e-3, keep_empty_features=False).fit_transform(values)


def iterative_seconds(values):
    begin = time.process_time()
    iterative(values)
    return float(time.process_time() - begin)
