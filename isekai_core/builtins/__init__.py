"""Core's own processors. They are registered through the same hooks as everyone's."""
