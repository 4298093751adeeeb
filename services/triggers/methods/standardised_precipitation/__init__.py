"""SPI: how unusual the rain of some months is for the time of the year, dry or wet."""
