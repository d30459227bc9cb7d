"""How files are read and written: one module for each kind of file."""
