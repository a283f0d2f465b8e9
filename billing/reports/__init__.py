"""What an accountant and an operator read. Each report's rows sum to the ledger, and say so when they do not."""
