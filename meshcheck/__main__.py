"""`python -m meshcheck`."""

import sys

from meshcheck.cli.main import main

sys.exit(main())
