"""The public contract, generated from proto/lianmeng/v1 by `make proto`. Never edited."""
