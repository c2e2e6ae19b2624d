"""The database: its connection, its tables, and how these came to be. Knows no Discord."""
