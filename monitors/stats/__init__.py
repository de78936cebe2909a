"""Pure mathematics that several monitors share."""
