"""The alarm control process: which alarms are active."""
