"""Texts for property tests: odd characters, and pieces of what operators look for."""

from hypothesis import settings
from hypothesis import strategies as st

from bench.hostile_text import ALPHABETS, PIECES

characters = st.one_of(st.sampled_from("".join(ALPHABETS)), st.characters(exclude_categories=["Cs"]))
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(characters, max_size=6)), max_size=8).map("".join)
batches = st.lists(texts, min_size=1, max_size=25)

properties = settings(max_examples=60, deadline=None)
