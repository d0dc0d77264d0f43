"""What the parameters of a function mean: by names, then by trying on vectors that tell readings apart."""
