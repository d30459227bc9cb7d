"""Counts how often n-grams occur within each document, for all documents of a batch at once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How often each distinct n-gram occurs in its document.

    Attributes:
        documents: int64 array, the document of each distinct n-gram, ascending.
        counts: int64 array of the same length, how often it occurs there, at least 1.
    """

    documents: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]


def frequencies(codes: npt.NDArray[np.uint64], lengths: npt.NDArray[np.int64], n: int) -> Frequencies:
    """Count the n-grams of each document.

    Two n-grams count as equal when their 64-bit hashes are: among a million different ones in a document, the chance
    of any mistake is 3 in 10^8.

    Args:
        codes: uint64 array, the characters or words of all documents, one document after the other.
        lengths: int64 array, how many of them belong to each document.
        n: The length of an n-gram, at least 1. A document shorter than that has none.
    """
    windows = np.maximum(lengths - (n - 1), 0)
    if not windows.sum():
        nothing = np.zeros(0, dtype=np.int64)
        return Frequencies(nothing, nothing)
    hashes = _window_hashes(codes, n)
    starts = np.cumsum(lengths) - lengths
    ends = np.cumsum(windows)
    grams = np.empty(int(ends[-1]), dtype=np.uint64)
    for start, end, size in zip(starts.tolist(), ends.tolist(), windows.tolist(), strict=True):
        gathered = grams[end - size : end]
        gathered[:] = hashes[start : start + size]
        gathered.sort()
    first = np.empty(len(grams), dtype=np.bool_)
    first[0] = True
    np.not_equal(grams[1:], grams[:-1], out=first[1:])
    first[(ends - windows)[windows > 0]] = True
    places = np.flatnonzero(first)
    counts = np.diff(places, append=len(grams))
    return Frequencies(np.searchsorted(ends, places, side="right"), counts)


def _window_hashes(codes: npt.NDArray[np.uint64], n: int) -> npt.NDArray[np.uint64]:
    """Return the hash of the n codes from each place on, by doubling: hash(ab) = hash(a) * m^len(b) + hash(b).

    Places with fewer than n codes behind them get no hash, so the array is n - 1 shorter.
    """
    block = (codes + np.uint64(1)) * _MULTIPLIER
    block ^= block >> _SHIFT
    block *= _MIX
    block ^= block >> _SHIFT
    result, covered, size, power = block[:0], 0, 1, int(_MULTIPLIER)
    while n:
        if n & 1:
            result = _joined(result, covered, block, power) if covered else block
            covered += size
        n >>= 1
        if n:
            block = _joined(block, size, block, power)
            size, power = size * 2, power * power % 2**64
    return result


def _joined(
    head: npt.NDArray[np.uint64], head_size: int, tail: npt.NDArray[np.uint64], tail_power: int
) -> npt.NDArray[np.uint64]:
    shifted = tail[head_size:]
    joined = head[: len(shifted)] * np.uint64(tail_power)
    joined += shifted
    return joined
