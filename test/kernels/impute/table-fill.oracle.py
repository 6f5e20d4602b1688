"""Fills of tables by pandas and scikit-learn."""

import time

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
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
    return iterated(values, BayesianRidge())


def iterative_wide(values):
    """The same in 80 bits: scikit-learn squares the condition of its table, and columns of 1 beside columns of 1e9 leave it no
    digit there."""
    return iterated(values, WideBayesianRidge())


def iterated(values, estimator):
    """Columns without a value, which scikit-learn leaves out, stay NaN."""
    filled = values.copy()
    known = ~np.isnan(values).all(axis=0)
    if known.any():
        filled[:, known] = IterativeImputer(estimator, max_iter=10, tol=1e-3).fit_transform(values[:, known])
    return filled


class WideBayesianRidge(BaseEstimator):
    """The rounds of BayesianRidge with normal equations in numpy's longdouble."""

    def fit(self, x, y):
        x, y = x.astype(np.longdouble), y.astype(np.longdouble)
        self.x_mean, self.y_mean = x.mean(axis=0), y.mean()
        x, y = x - self.x_mean, y - self.y_mean
        products, target = x.T @ x, x.T @ y
        size = len(target)
        alpha, lambda_, before = 1 / ((y**2).mean() + np.finfo(float).eps), np.longdouble(1), None
        for _ in range(300):
            inverse = inverted(products + lambda_ / alpha * np.eye(size))
            coefficients = inverse @ target
            gamma = size - lambda_ / alpha * np.trace(inverse)
            lambda_ = (gamma + 2e-6) / ((coefficients**2).sum() + 2e-6)
            alpha = (len(y) - gamma + 2e-6) / (((y - x @ coefficients) ** 2).sum() + 2e-6)
            if before is not None and np.abs(coefficients - before).sum() < 1e-3:
                break
            before = coefficients
        self.coefficients = inverted(products + lambda_ / alpha * np.eye(size)) @ target
        return self

    def predict(self, x):
        return ((x - self.x_mean) @ self.coefficients + self.y_mean).astype(float)


def inverted(matrix):
    """Gauss and Jordan, scaled to a diagonal of 1: numpy's own knows no longdouble."""
    scales = np.sqrt(np.diag(matrix))
    work = np.hstack([matrix / np.outer(scales, scales), np.eye(len(matrix), dtype=np.longdouble)])
    for k in range(len(matrix)):
        work[k] /= work[k, k]
        for i in range(len(matrix)):
            if i != k:
                work[i] -= work[i, k] * work[k]
    return work[:, len(matrix) :] / np.outer(scales, scales)


def standard(values):
    """Columns of mean 0 and deviation 1, NaN where missing, and the way back."""
    means, deviations = np.nanmean(values, axis=0), np.nanstd(values, axis=0, ddof=1)
    return (values - means) / deviations, means, deviations


def soft_impute(values, shrinkage):
    """SoftImpute by numpy's SVD: algorithm 1 of Mazumder, Hastie, Tibshirani 2010 for one shrinkage."""
    scaled, means, deviations = standard(values)
    missing = np.isnan(scaled)
    table = np.where(missing, 0, scaled)
    lowering = shrinkage * np.linalg.svd(table, compute_uv=False)[0]
    for _ in range(300):
        u, s, vt = np.linalg.svd(table, full_matrices=False)
        low_rank = (u * np.maximum(s - lowering, 0)) @ vt
        moved = np.linalg.norm(low_rank[missing] - table[missing])
        size = np.linalg.norm(table[missing])
        table = np.where(missing, low_rank, table)
        if moved == 0 or (size > 0 and moved / size < 1e-5):
            break
    return np.where(missing, table * deviations + means, values)


def factors(values, shrinkage):
    """Alternating ridge regressions of two factors. Their optimum is that of the nuclear norm (Hastie, Mazumder, Lee,
    Zadeh 2015), so one that is reached from elsewhere must fill alike."""
    scaled, means, deviations = standard(values)
    missing = np.isnan(scaled)
    rank = min(scaled.shape)
    ridge = shrinkage * np.linalg.svd(np.where(missing, 0, scaled), compute_uv=False)[0] * np.eye(rank)
    right = np.random.default_rng(1).normal(size=(rank, scaled.shape[1]))
    left = np.zeros((scaled.shape[0], rank))
    for _ in range(200):
        for i, row in enumerate(scaled):
            known = right[:, ~missing[i]]
            left[i] = np.linalg.solve(known @ known.T + ridge, known @ row[~missing[i]])
        for j, column in enumerate(scaled.T):
            known = left[~missing[:, j]]
            right[:, j] = np.linalg.solve(known.T @ known + ridge, known.T @ column[~missing[:, j]])
    return np.where(missing, left @ right * deviations + means, values)


def k_means(values, clusters, seed, starts):
    """scikit-learn's clusters of the table filled with the means; then each row from the centroid nearest in what it has."""
    scaled, means, deviations = standard(values)
    missing = np.isnan(scaled)
    model = KMeans(clusters, n_init=starts, random_state=seed).fit(np.where(missing, 0, scaled))
    differences = scaled[:, None, :] - model.cluster_centers_[None, :, :]
    nearest = np.nansum(differences**2, axis=2).argmin(axis=1)
    return np.where(missing, model.cluster_centers_[nearest] * deviations + means, values)


def seconds(name, *arguments):
    begin = time.process_time()
    globals()[name](*arguments)
    return float(time.process_time() - begin)
