"""MongoDB, blobs and the rendering children in the roles that the ports name."""
