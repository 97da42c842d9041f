"""A sensor on two wires read, scaled and fed to a core, which answers on a pin."""
