"""Who may write: kernel locks, and leases that outlive no one."""
