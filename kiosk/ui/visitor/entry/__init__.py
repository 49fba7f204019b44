"""The first screens, and those that interrupt a visit: called secretary, leaving, idle."""
