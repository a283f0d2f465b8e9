"""The parts of a double of Stripe that keeps state and money. Its face is `tests.fakes.stripe_server`."""
