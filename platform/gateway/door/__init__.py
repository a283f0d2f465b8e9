"""What stands before every route: the server, the sizes of bodies, the gate before the pages, addresses."""
