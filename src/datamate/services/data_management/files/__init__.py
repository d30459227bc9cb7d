"""Files: listing, download, and changes of single files."""
