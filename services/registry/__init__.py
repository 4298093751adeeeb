"""Who is helped, and how much they are owed: areas, households, schemes and entitlements."""
