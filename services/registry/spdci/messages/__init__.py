"""Messages as the standard frames them: signature, header, message."""
