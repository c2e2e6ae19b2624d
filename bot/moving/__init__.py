"""Back-up and move: everything in a database goes into one file, and from it into another database."""
