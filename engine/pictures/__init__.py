"""Pictures: those that people give, those that are dreamt, and films of dreams."""
