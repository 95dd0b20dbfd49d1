"""Compiled kernels: numba functions over arrays, no classes, no validation (that happens before them)."""
