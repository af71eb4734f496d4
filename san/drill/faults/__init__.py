"""The rows of the matrix, by what they strike."""
