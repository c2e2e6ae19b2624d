import os

# One thread a process: machines that test are busy, and threads that wait for each other are slow there.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["OFFLINE"] = "1"  # no test asks the network for a model
