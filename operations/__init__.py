"""pyinfra operations: fact, decision, noop or commands; one module a subsystem."""
