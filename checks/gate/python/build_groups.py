"""Prints the functions that can be built together, a line of `--package` flags for each group.

Cargo unifies the features of a dependency over all packages of one build. A function that is built together with one
whose dependencies have other features could get other features than alone, as SAM builds it, and SAM would compile it
again.
"""

import subprocess
from pathlib import Path


def main():
    groups = []
    for folder in sorted(each for each in Path("functions").iterdir() if each.is_dir()):
        package = f"storefront-{folder.name}"
        features = features_of(package)
        for packages, common in groups:
            if all(common.get(crate, enabled) == enabled for crate, enabled in features.items()):
                packages.append(package)
                common |= features
                break
        else:
            groups.append(([package], features))
    for packages, _ in groups:
        print(*(f"--package {package}" for package in packages))


def features_of(package):
    """Returns the features of each crate that the package is built of.

    What build scripts and macros are built of may have others, so a crate may be there with two sets of features.
    """
    command = ["cargo", "tree", "--locked", "--edges", "normal,build", "--prefix", "none"]
    command += ["--format", "{p}|{f}", "--package", package]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    features = {}
    for line in lines:
        crate, enabled = line.removesuffix(" (*)").split("|")
        features.setdefault(crate, set()).add(enabled)
    return features


if __name__ == "__main__":
    main()
