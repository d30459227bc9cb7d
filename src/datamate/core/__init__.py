"""The standard-library-only base of every layer: errors, identifiers, time, paging."""
