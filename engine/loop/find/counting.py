"""The loops of the search: sums per cell of three columns, those of every conjunction of ranges, and Fisher's tails."""

import math

import numpy as np
from numba import njit

from sliceforge.engine.cache import install

install()

_compiled = njit(error_model="numpy", nogil=True, cache=True)

HALF = np.int64(1 << 32)
"""A row in the upper half of a word; whether it is wrong goes into the lower one."""


@_compiled
def count_wrong(pair, bins, size, packed, table):
    """Rows and wrong rows of each cell: pair and bins (N,), packed (N,) int64, table (cells, 2) float64."""
    cells = np.zeros(len(table), np.int64)
    for i in range(len(pair)):
        cells[pair[i] * size + bins[i]] += packed[i]
    for j in range(len(table)):
        table[j, 0] = cells[j] // HALF
        table[j, 1] = cells[j] % HALF


@_compiled
def count_sums(pair, bins, size, values, table):
    """Sums of each cell: values (N, K) float64, table (cells, K) float64."""
    table[:] = 0
    for i in range(len(pair)):
        cell = pair[i] * size + bins[i]
        for k in range(values.shape[1]):
            table[cell, k] += values[i, k]


@_compiled
def accumulate(table):
    """Sums of all cells before, along each of the first three axes: (A + 1, B + 1, C + 1, K), in place."""
    a, b, c, many = table.shape
    for i in range(1, a):
        for j in range(1, b):
            for m in range(1, c):
                for k in range(many):
                    table[i, j, m, k] += table[i, j, m - 1, k]
            for m in range(1, c):
                for k in range(many):
                    table[i, j, m, k] += table[i, j - 1, m, k]
        for j in range(1, b):
            for m in range(1, c):
                for k in range(many):
                    table[i, j, m, k] += table[i - 1, j, m, k]


@_compiled
def _strength(part, totals, of):
    # Of 0/1 losses the hypergeometric z, of others Welch's t: how far above what chance gives.
    n, total = part[0], totals[0]
    if n >= total:
        return -math.inf
    if len(part) == 2:
        share = totals[1] / total
        variance = n * share * (1 - share) * (total - n) / max(total - 1, 1.0)
        return (part[1] - n * share) / math.sqrt(variance) if variance > 0 else -math.inf
    m = total - n
    weight, loss = part[of[1]], part[of[2]]
    rest, loss_rest = totals[of[1]] - weight, totals[of[2]] - loss
    if weight <= 0 or rest <= 0:
        return -math.inf
    mean, other = loss / weight, loss_rest / rest
    one = part[of[5]] - 2 * mean * part[of[4]] + mean * mean * part[of[3]]
    two = totals[of[5]] - part[of[5]] - 2 * other * (totals[of[4]] - part[of[4]])
    two += other * other * (totals[of[3]] - part[of[3]])
    variance = max(one, 0.0) / weight**2 * n / (n - 1) + max(two, 0.0) / rest**2 * m / max(m - 1, 1.0)
    return (mean - other) / math.sqrt(variance) if variance > 0 else -math.inf


@_compiled
def conjunctions(table, first, second, third, support, least, totals, of, members, sums):
    """Every conjunction of a range on each axis with the support: how many, and into members and sums the strong ones.

    Args:
        table: (A + 1, B + 1, C + 1, K), accumulated.
        first, second, third: (·, 3) int64: number, first bin and bin after the last of each level.
        support: rows that are needed.
        least: the strength that is needed to be written down.
        totals: (K,) of all rows; of: (6,) which sum is rows, Σw, Σwl, Σw², Σw²l, Σw²l².
        members, sums: (M, 3) int32 and (M, K) float64, large enough.
    """
    tested, kept, many = 0, 0, table.shape[3]
    plane, line, part = np.empty(table.shape[1:]), np.empty(table.shape[2:]), np.empty(many)
    for i in range(len(first)):
        plane[:] = table[first[i, 2]] - table[first[i, 1]]
        if plane[-1, -1, 0] < support:
            continue
        for j in range(len(second)):
            line[:] = plane[second[j, 2]] - plane[second[j, 1]]
            if line[-1, 0] < support:
                continue
            for m in range(len(third)):
                for k in range(many):
                    part[k] = line[third[m, 2], k] - line[third[m, 1], k]
                if part[0] < support:
                    continue
                tested += 1
                if _strength(part, totals, of) < least:
                    continue
                members[kept, 0], members[kept, 1], members[kept, 2] = first[i, 0], second[j, 0], third[m, 0]
                for k in range(many):
                    sums[kept, k] = part[k]
                kept += 1
    return tested, kept


@_compiled
def member_sums(bins, ranges, columns, out):
    """Sums over the rows of each conjunction: bins (C, N), ranges (M, 3, 3) column, first, after; out (M, K)."""
    out[:] = 0
    for m in range(len(ranges)):
        a, b, c = ranges[m, 0], ranges[m, 1], ranges[m, 2]
        for i in range(bins.shape[1]):
            if not a[1] <= bins[a[0], i] < a[2]:
                continue
            if b[1] <= bins[b[0], i] < b[2] and c[1] <= bins[c[0], i] < c[2]:
                for k in range(columns.shape[1]):
                    out[m, k] += columns[i, k]


@_compiled
def fisher_tails(wrong, rows, total, total_wrong, factorial, out):
    """P(as many wrong or more), (M,); factorial is log k!, (total + 1,)."""
    for i in range(len(wrong)):
        x, n = wrong[i], rows[i]
        least = max(0, n + total_wrong - total)
        # The shorter tail is summed from its inner end on, where its terms are greatest.
        above = x * total > n * total_wrong
        k = x if above else x - 1
        if x <= least:
            out[i] = 1.0
            continue
        others = total - total_wrong - n
        log = factorial[total_wrong] + factorial[total - total_wrong] + factorial[n] + factorial[total - n]
        log -= factorial[total] + factorial[k] + factorial[total_wrong - k] + factorial[n - k] + factorial[others + k]
        term = weight = 1.0
        while term > 1e-16 * weight:
            if above:
                term *= (total_wrong - k) * float(n - k) / ((k + 1.0) * (others + k + 1.0))
                k += 1
            else:
                term *= k * float(others + k) / ((total_wrong - k + 1.0) * (n - k + 1.0))
                k -= 1
            weight += term
        tail = math.exp(log) * weight
        out[i] = min(1.0, tail) if above else max(0.0, 1.0 - tail)
