"""Decision logics: what turns the workers' numbers into actions and orders, one file each."""
