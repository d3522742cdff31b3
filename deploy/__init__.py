"""What runs the product, here and elsewhere."""
