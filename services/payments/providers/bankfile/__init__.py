"""Bank files: ISO 20022 pain.001.001.09 out, pain.002 in, by folders."""
