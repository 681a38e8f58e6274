"""Reads of applications: cases, documents, the planned change of the archive, progress."""
