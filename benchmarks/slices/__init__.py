"""What the sides of the slice benchmark run, each in a process of its own."""
