"""`python -m sanjeevani` is the `sanjeevani` command."""

import sys

from sanjeevani.config.command import main

sys.exit(main())
