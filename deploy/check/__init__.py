"""Whether the deployment files start what the product is, checked without a container engine."""
