"""What the doctor looks at: a file for each area, and in it what is said of it."""
