"""Which word means which class: the registry, what users enter in it, and the forms in which Keras writes names."""
