"""Files of Keras: the archive (`archive`), which weight stands where in it (`layout`), and models in it (`files`)."""
