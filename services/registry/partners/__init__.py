"""Partners: systems of other ministries that speak SPDCI with the registry."""
