"""The search in latent space: BigSleep's loop and its parts. Knows no files, no processes, no listeners."""
