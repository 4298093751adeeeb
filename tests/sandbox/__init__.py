"""The provider sandbox, judged as its clients see it: a program behind a port."""
