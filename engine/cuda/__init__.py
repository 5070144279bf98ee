"""Batches on a CUDA device: kernels over torch's memory on torch's current stream."""
