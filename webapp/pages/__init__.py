"""The pages, one file each, in folders named after the rooms they show."""
