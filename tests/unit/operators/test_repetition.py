from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamate.operators.repetition import frequencies
from factories.texts import properties


def counted(documents, n):
    """Return each document's sorted counts, the plain way."""
    return [sorted(Counter(tuple(codes[i : i + n]) for i in range(len(codes) - n + 1)).values()) for codes in documents]


@properties
@given(st.lists(st.lists(st.integers(0, 3), max_size=30), min_size=1, max_size=6), st.integers(1, 12))
def test_counts_equal_a_plain_count_when_codes_repeat(documents, n):
    codes = np.array([code for document in documents for code in document], dtype=np.uint64)
    lengths = np.array([len(document) for document in documents], dtype=np.int64)

    found = frequencies(codes, lengths, n)

    by_document = [sorted(found.counts[found.documents == place].tolist()) for place in range(len(documents))]
    assert by_document == counted(documents, n)


@pytest.mark.parametrize("lengths", [[], [0], [0, 0], [2, 1]])
def test_nothing_is_counted_when_documents_are_shorter_than_an_ngram(lengths):
    found = frequencies(np.zeros(sum(lengths), dtype=np.uint64), np.array(lengths, dtype=np.int64), 3)

    assert len(found.documents) == len(found.counts) == 0
