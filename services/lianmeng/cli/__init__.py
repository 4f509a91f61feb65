"""The `lianmeng` command: what people touch. One module per group of commands."""
