"""What is right and wrong with an installation: the checks of `datamate doctor`."""
