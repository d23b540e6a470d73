"""Tools that are WebAssembly modules: they compute, within bounds, and can do nothing else."""
