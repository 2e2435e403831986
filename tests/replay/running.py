"""Running the benchmark as a command."""

import json
import subprocess
from typing import Any

from tests.product import SANJEEVANI, Product


def replayed(
    product: Product, *arguments: str, seconds: float = 700
) -> tuple[subprocess.CompletedProcess[str], Any]:
    """Run the command against the product; return it and what it wrote."""
    target = product.data_dir / "replay.json"
    target.unlink(missing_ok=True)
    done = subprocess.run(
        [SANJEEVANI, "replay", "--json", target, *arguments],
        env=product.environment,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    return done, json.loads(target.read_text()) if target.exists() else None
