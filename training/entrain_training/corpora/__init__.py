"""The text corpora from their published sources: read at a revision, cleaned, and held against a hash."""
