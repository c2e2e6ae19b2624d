"""How the embedded models were made. Not in the wheel; nothing that dreams imports it."""
