"""The bytes of channels, as clients of the conda world ask for them."""
