"""What surrounds a computation: the machine, its BLAS, files that appear whole, and the progress bar."""
