"""What crosses between services: the published events, and the bodies that are streamed."""
