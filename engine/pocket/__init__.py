"""The embedded models at run time."""
