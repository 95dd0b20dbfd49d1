"""Workers: indicators that turn ticks and bars into numbers, one file each."""
