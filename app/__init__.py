"""The composition root: settings, wiring, clocks and commands. The only package that may import every other one."""
