"""pyinfra facts: one wide fact a subsystem, each a command and a call into `san.observe`."""
