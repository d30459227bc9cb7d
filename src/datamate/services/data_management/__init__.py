"""The data_management service: datasets, files, uploads, versions, tags, statistics and lineage."""
