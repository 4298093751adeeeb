"""Who is enrolled in what: households in schemes, and members in routine programmes."""
