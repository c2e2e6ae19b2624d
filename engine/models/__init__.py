"""The models: two interfaces, the registry of those that can dream, their files and how these arrive."""
