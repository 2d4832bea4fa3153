"""Benchmarks: what each way of keeping a query's result fresh costs, side by side on the same data."""
