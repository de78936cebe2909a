"""The monitors that come with Manometer: one file a monitor, named as in workflow files; stats/ is mathematics."""
