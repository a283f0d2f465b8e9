"""One file per subject; each view is handed the member that looks (see `console.access`)."""
