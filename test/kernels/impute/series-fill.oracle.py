"""Fills of one series by pandas. An infinity is neither filled nor learnt from: it is missing to pandas, and put back."""

import numpy as np
import pandas as pd


def series(timestamps_ms, values):
    index = pd.to_datetime(timestamps_ms.astype("int64"), unit="ms")
    return pd.Series(np.where(np.isfinite(values), values, np.nan), index=index)


def kept(filled, values):
    return np.where(np.isnan(values), filled, values)


def neighbours(gappy):
    """Time since the value before, and until the value after: NaT where there is none."""
    time = gappy.index.to_series()
    present = time.where(gappy.notna())
    return time - present.ffill(), present.bfill() - time


def gap_lengths(gappy):
    """How long the gap of each sample lasts, to the edge of the series where it has no neighbour."""
    since, until = neighbours(gappy)
    time = gappy.index.to_series()
    return since.fillna(time - time.iloc[0]) + until.fillna(time.iloc[-1] - time)


def is_short(gappy, max_gap_ms):
    return (gap_lengths(gappy) <= pd.Timedelta(milliseconds=max_gap_ms)).to_numpy()


def linear(timestamps_ms, values, max_gap_ms):
    """The slopes of denormals underflow in pandas: those are scaled by a power of two, and back."""
    sizes = np.abs(values[np.isfinite(values)])
    exponent = 900 if len(sizes) and 0 < sizes.max() < 1e-150 else 0
    gappy = series(timestamps_ms, np.ldexp(values, exponent))
    filled = gappy.interpolate("time", limit_area="inside")
    return kept(np.ldexp(filled.where(is_short(gappy, max_gap_ms)), -exponent), values)


def forward(timestamps_ms, values, max_gap_ms, limit, limit_age_ms):
    gappy = series(timestamps_ms, values)
    near = (neighbours(gappy)[0] <= pd.Timedelta(milliseconds=limit_age_ms)).to_numpy()
    return kept(gappy.ffill(limit=limit).where(near & is_short(gappy, max_gap_ms)), values)


def backward(timestamps_ms, values, max_gap_ms, limit, limit_age_ms):
    gappy = series(timestamps_ms, values)
    near = (neighbours(gappy)[1] <= pd.Timedelta(milliseconds=limit_age_ms)).to_numpy()
    return kept(gappy.bfill(limit=limit).where(near & is_short(gappy, max_gap_ms)), values)


def seasonal(timestamps_ms, values, max_gap_ms, period, interval_ms):
    gappy = series(timestamps_ms, values)
    phase = pd.Series((timestamps_ms // interval_ms % period).astype(int), index=gappy.index)
    known = gappy.dropna()
    if known.empty:
        return values
    elapsed = (known.index - known.index[0]) / pd.Timedelta(milliseconds=1)
    elapsed = pd.Series(elapsed, index=known.index)
    by_phase = phase[known.index]
    distance = elapsed - elapsed.groupby(by_phase).transform("mean")
    squares = (distance**2).sum()
    within = known - known.groupby(by_phase).transform("mean")
    slope = (distance * within).sum() / squares if squares > 0 else 0.0
    season = (known - slope * elapsed).groupby(by_phase).mean().reindex(range(period))
    around = pd.concat([season] * 3, ignore_index=True).interpolate(limit_area="inside")
    season = around.iloc[period : 2 * period].reset_index(drop=True)
    cycle = phase.map(season - season.mean())
    filled = (gappy - cycle).interpolate("time", limit_area="inside") + cycle
    return kept(filled.where(is_short(gappy, max_gap_ms)), values)
