"""Whether the service works, measured from outside, and the public page that says so."""
