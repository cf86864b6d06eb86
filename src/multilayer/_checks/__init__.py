"""What a value from a user must be, before any work starts: arrays of finite numbers, whole and real scalars."""
