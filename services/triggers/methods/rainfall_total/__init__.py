"""How much rain fell in so many days."""
