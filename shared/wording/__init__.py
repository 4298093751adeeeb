"""What is said to people, in each of the languages that the services speak."""
