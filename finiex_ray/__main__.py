"""``python -m finiex_ray`` is ``finiex-ray``."""

from __future__ import annotations

from finiex_ray.cli import main

if __name__ == "__main__":
    main()
