"""Public instances with known answers and generated portfolios, to measure the engines by: ``python -m benchmarks``."""
