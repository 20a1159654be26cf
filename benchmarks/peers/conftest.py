"""What pytest must not import here to look for examples: files that need packages only the comparison needs."""

collect_ignore = ["cpsat_worker.py", "gurobi.py", "scip.py"]
