"""How a pipeline stands, for the commands and the admin."""
