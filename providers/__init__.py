"""One file per payment platform; they never import each other."""
