"""One file per subject. Each view gets the member who opens it (see `console.access`)."""
