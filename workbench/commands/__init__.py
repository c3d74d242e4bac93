"""The commands of `atomic`, one file each, imported only when they are run."""
