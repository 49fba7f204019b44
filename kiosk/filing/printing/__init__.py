"""What the receipt printer prints, as raster pages."""
