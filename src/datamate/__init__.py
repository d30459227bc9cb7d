"""DataMate: raw files in, clean, versioned, traceable datasets out."""

__version__ = "0.1.0"
