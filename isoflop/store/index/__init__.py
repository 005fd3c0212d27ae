"""Many runs listed quickly, from files that stay the record."""
