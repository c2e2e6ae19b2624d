"""The object store, where one is set: bytes by their SHA-256, in a folder or in an S3-compatible bucket."""
