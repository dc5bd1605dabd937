"""What the checks of the tree share: which files there are, and how a finding is reported."""

import os
import sys

# Folders that hold our sources. Build folders and version control are never looked into.
FOLDERS = (".ci", "clients", "deploy", "proto", "rt", "server", "tests")
SKIPPED = {"build", "__pycache__", ".git", "node_modules"}


def files(root, *suffixes):
    """Paths relative to `root`, in order, of our files with one of these suffixes ("" is any)."""
    found = [name for name in os.listdir(root) if os.path.isfile(os.path.join(root, name))]
    for folder in FOLDERS:
        for path, names, here in os.walk(os.path.join(root, folder)):
            names[:] = sorted(name for name in names if name not in SKIPPED)
            found += [os.path.relpath(os.path.join(path, name), root) for name in here]
    return sorted(name for name in found if name.endswith(suffixes))


def lines(root, name):
    with open(os.path.join(root, name), encoding="utf-8") as file:
        return file.read().split("\n")


def report(check, findings, looked_at):
    """Exit 1 with each finding on a line; a check that saw nothing to look at has failed, too."""
    for finding in findings:
        print(f"{check}: {finding}")
    if not looked_at:
        print(f"{check}: nothing to look at: wrong folder?")
        sys.exit(1)
    print(f"{check}: {looked_at} looked at, {len(findings)} found")
    sys.exit(1 if findings else 0)
