"""Benchmarks: timings of the platform on this machine, as ratios within one run where possible."""
