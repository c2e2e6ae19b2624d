"""One request, from its words to its picture, with models that stay loaded."""
