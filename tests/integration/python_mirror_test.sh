#!/bin/bash
# The Python client's mirror: clients that edit, drop and come back, over restarts of the daemon, end with its document.
. "$(dirname "$0")/../support/daemon.sh"
. "$CONTINUO_SUPPORT/python_package.sh"
python_tests test_mirror
exit $failures
