"""What partners are told of by themselves: households that are registered, grow or change."""
