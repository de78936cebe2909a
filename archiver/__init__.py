"""The archive topic's reader: writes emissions to stores, each at its own pace."""
