# SPDX-License-Identifier: PostgreSQL
"""Which labs take longest, so that they begin first and none is left alone at the end."""

# Seconds, of the labs that took more than a minute (a whole run says which did).
LONGEST = {
    "systemd/test_hosts_actions.Actions": 300,
    "faults": 297, "scenario/test_slots.Slots": 182, "kill/test_kill_failover.Crash": 172,
    "scenario/test_takeover_hindered.Hindered": 156, "scenario/test_fencing.Ipmi": 144,
    "kill/test_kill_calls.Calls": 141, "scenario/test_watchdog.Required": 127,
    "scenario/test_calls.Calls": 121, "scenario/test_rebuild.RebuildByHand": 120,
    "scenario/test_record_boot.Gate": 113, "scenario/test_watchdog.Automatic": 111,
    "scenario/test_account.LockedOut": 109, "scenario/test_switchover.SwitchoverSync": 106,
    "scenario/test_no_failover.Quiet": 106, "kill/test_kill_standby.Standby": 100,
    "kill/test_kill_failover.Ping": 80,
}
