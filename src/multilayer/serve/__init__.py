"""A page and a service around a network, on localhost: what `multilayer serve` opens."""
