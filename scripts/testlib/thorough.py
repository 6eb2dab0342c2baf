# SPDX-License-Identifier: PostgreSQL
"""What a run of everything leaves out unless it is told --thorough: variants of what another test in it
shows, and what takes long for what it shows.  Two cores of a slow machine do the rest within the 90 minutes of CI.
A test that is named with -k is run in any case."""

from fnmatch import fnmatchcase

# FILE.CLASS.TEST, with what stays in place of it.
VARIANTS = [
    # Links end alike by who is left alone: one of each outcome and direction stays.
    *(f"test_record_links.OneLink.test_{name}" for name in (
        "both_ways_*", "nodes_to_witness", "primary_and_witness_cut", "primary_to_standby",
        "primary_to_witness_and_*", "standby_to_witness", "witness_to_*")),
    *(f"test_record_links.OneNodeAlone.test_{name}" for name in (
        "nobody_hears_the_standby", "primary_hears_*", "standby_hears_primary_*")),
    # The other synchronous mode, or no record, where the same class in the usual one stays.
    "test_heal.StartSync.test_both_nodes_boot_primary_first",
    "test_heal.StartSync.test_primary_alone_*",
    "test_record_boot.BootAsync.*",
    "test_record_failover.Async.test_hung_*",
    "test_record_failover.Async.test_isolation_*",
    "test_record_failover.Async.test_two_*",
    "test_record_frozen.FrozenPrimaryAsync.*",
    "test_record_frozen.WithoutKernel.*",
    "test_found.FoundWithoutARecord.*",
    "test_disk_full.StepsDownByPings.*",
    "test_signal_file.Record.*recovery_signal",
    "test_watch.WatchedWithPings.*",
    "test_drill.Drill.test_isolated_*",
    "test_drill.DrillAsync.*",
    "test_switchover.SlowStopWithoutRecord.*",
    "test_switchover.Switchover.test_dry_run_*",
    "test_switchover.Switchover.test_killed_*",
    "test_switchover.Switchover.test_refused_*",
    "test_switchover.Switchover.test_restart_of_*",
    "test_switchover.Switchover.test_standby_*",
    "test_switchover.SwitchoverWithoutRecord.test_dry_run_*",
    "test_switchover.SwitchoverWithoutRecord.test_refused_*",
    "test_switchover.SwitchoverWithoutRecord.test_restart_of_*",
    "test_textbook.PgVrrp.*_async",
    "test_textbook.Textbook.test_crash_*",
    "test_textbook.Textbook.test_cut_between_*",
    # The other agent, the other place of it in the list.
    "test_fencing.Hook.test_hook_that_fails_*",
    "test_fencing.IpmiAndWitnessHost.*",
    "test_fencing.Unreliable.*_half_the_time",
    "test_fencing_redfish.Redfish.test_agent_finds_*",
    "test_fencing_redfish.Redfish.test_boards_stay_*",
    "test_fencing_redfish.Redfish.test_every_way_*",
    "test_fencing_redfish.Redfish.test_host_that_is_off_*",
    "test_fencing_redfish.Redfish.test_host_that_the_board_*",
    # One of several ways to the same end.
    "test_record_boot.Gate.test_fenced_by_a_person",
    "test_record_boot.Gate.test_holder_alone",
    "test_record_boot.Gate.test_standby",
    "test_record_witness.Lost.test_edited_while_the_primary_*",
    "test_record_witness.Lost.test_gone_for_a_minute",
    "test_record_witness.Unusable.test_nodes_of_*",
    "test_record_witness.Unusable.test_role_*",
    "test_record_witness.Unusable.test_schema_*",
    "test_rebuild.RebuildByHand.test_primary_crashes_*",
    "test_rebuild.RebuildByHand.test_progress_*",
    "test_watchdog.Automatic.test_a_crash_*",
    "test_watchdog.Automatic.test_guard_killed_*",
    "test_watchdog.Missing.*",
    "test_record_boot.Boot.test_primary_first",
    "test_record_boot.Boot.test_old_primary_*",
    "test_record_frozen.FrozenPrimary.test_guard",
    "test_record_frozen.FrozenPrimary.*_ours_last",
    "test_record_frozen.Standby.test_server_frozen",
    # With a lease of 2 s a slow machine is late: the standby withdraws its vote, and is refused.
    "test_record_frozen.FrozenKeepalived.test_frozen",
    "test_takeover_hindered.HinderedSync.*",
    "test_state_files.StateFiles.test_directory_in_*",
    "test_state_files.StateFiles.test_run_files_of_the_standby_*",
    "test_state_files.StateFiles.test_state_dir_read_only_on_the_standby_*",
    "test_state_files.StateFiles.test_withdrawn_*",
    "test_keepalived.Keepalived.test_restarted_on_the_standby",
    "test_keepalived.Keepalived.test_stranger_in_his_own_name_*",
    "test_witness_host.WitnessHost.test_host_frozen",
    "test_witness_host.WitnessHost.test_restarted",
    "test_bad_input.BadInput.test_wrong_version_on_the_standby",
    "test_bad_input.Silence.test_sshd_that_is_silent",
    "test_rewind.Interrupted.test_killed_*",
    "test_pause.PausedWithoutRecord.*",
    "test_pause.Paused.test_resume_*",
    "test_check_setup.CheckSetup.test_c*",
    "test_check_setup.CheckSetup.test_file_*",
    "test_check_setup.CheckSetup.test_key_*",
    "test_check_setup.CheckSetup.test_settings_*",
    "test_haproxy.Haproxy.test_a_switchover_*",
    # What the lab itself can do.
    "test_lab_faults.LabFaults.test_a_descriptor_*",
    "test_lab_faults.LabFaults.test_clock_*",
    "test_lab_faults.LabFaults.test_exhausted_files",
    "test_lab_faults.LabFaults.test_exhausted_processes",
    "test_lab_faults.LabFaults.test_full_disk_of_*",
    "test_lab_faults.LabFaults.test_heal_*",
    "test_lab_faults.LabFaults.test_keepalived_*",
    "test_lab_faults.LabFaults.test_killed_*",
    # Helpers that die: a helper that decides about nobody's role.
    "test_kill_failover.Slots.*",
    "test_kill_failover.Ping.test_each_call_fails",
    "test_kill_calls.Calls.test_replication_slots_*",
    "test_kill_calls.Calls.test_witness_record_fails",
    "test_kill_standby.Standby.test_rebuild_fails",
]


def is_variant(source, test):
    """source: the file's name without .py.  test: CLASS.TEST"""
    return any(fnmatchcase(f"{source}.{test}", pattern) for pattern in VARIANTS)


def unused(names):
    """The patterns that fit none of names (FILE.CLASS.TEST): a test that has another name now."""
    return [pattern for pattern in VARIANTS
            if not any(fnmatchcase(name, pattern) for name in names)]
