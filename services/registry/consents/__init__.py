"""What households agree to: one of them, or lists of them, and what they withdraw."""
